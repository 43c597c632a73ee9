-- Guards what brands print of their legal entity without a join: the key holds the copies equal, and changes them with it.
ALTER TABLE crm_brand ADD CONSTRAINT brand_prints_its_legal_entity
    FOREIGN KEY (legal_entity_id, legal_name, jurisdiction, licence_number)
    REFERENCES crm_legalentity (id, name, jurisdiction, licence_number) ON UPDATE CASCADE;
