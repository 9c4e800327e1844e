"""The rules behind the asset checks: from verdicts and manifests to passed or not, with counts. No account names."""
