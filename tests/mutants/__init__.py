"""`make mutants`: realistic faults are put into the code, one at a time, and those that the tests see are counted."""
