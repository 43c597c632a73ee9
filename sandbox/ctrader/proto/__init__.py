"""The sandbox server's own copy of the protocol text and the modules made from it."""
