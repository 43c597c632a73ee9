"""Submissions drawn for `bench kyc`: holders of six states, pages spoilt as cameras and forgers do, each from a seed of its own."""
