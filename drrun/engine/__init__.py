"""The imperative shell around the rules: observe, record, fold, decide, record intent, obey."""
