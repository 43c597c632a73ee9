"""Enquiry forms inside other sites: whose sites may show them, the page in the frame, and the code for the site."""
