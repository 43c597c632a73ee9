"""News that partner managers publish for partners, and the e-mail with the figures of a month."""
