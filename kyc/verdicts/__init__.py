"""What the checks may decide without a person: the policy of each brand, the verdict, the blind second look, and its figures.

    reach(document, run, results)    # kyc.verdicts.reaching: approve, ask the client, or the queue
    current_policy(brand)            # kyc.verdicts.versions: the version that holds today
    overturn(document_id=…, …)       # kyc.verdicts.overturning: an officer rejects what the machine approved

See docs/domain/kyc.md.
"""
