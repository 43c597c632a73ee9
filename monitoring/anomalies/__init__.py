"""The same statistics over clients, partners and operations: what is unusual becomes a work item before a client feels it."""
