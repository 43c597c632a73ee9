"""What every sandbox trading server stands on: books, market, traders, faults, state page. The wire is each server's own.

Groups, symbols and deals are kept in one form (`contracts`, `store`); a server shows them as its platform would.
"""
