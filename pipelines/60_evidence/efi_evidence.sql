-- Meaning: the deficits behind a person's eFI, each with the record that first showed it.
-- Grain:   one row per person and deficit.
-- Missing: no row means never recorded; polypharmacy has no code, its value is the number of medicines.
-- Source:  30_core/efi_components.sql.
SELECT person_keys.person_id
     , efi_components.deficit_number
     , efi_components.deficit
     , efi_components.first_date
     , efi_components.code_system
     , efi_components.code
     , efi_components.value
     , efi_components.event_id
FROM efi_components
JOIN person_keys
  ON person_keys.person = efi_components.person
