"""Taking over accounts that are on a platform already: read, matched, confirmed by a person, and then in step like all others.

reading:  logins of a server into staged rows, again and again without harm
matching: whom each login fits, and why
attach:   a staged login becomes a client's account, once
history:  its deals of the past
"""
