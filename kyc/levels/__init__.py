"""KYC levels: what each requires and allows, per brand and day; how far a client is; what that lets them do."""
