"""What stands, as files of other programs: Go.Data, SORMAS, spreadsheets. Persons are pseudonyms in all of them."""
