"""A brand's accounts at outside services, such as KYC providers and screening vendors: set up by two people, called, heard."""
