"""Operations that operators start: replay, backfill, cancel, each previewed and run in chunks."""
