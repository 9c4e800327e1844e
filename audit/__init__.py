"""`make audit`: known vulnerabilities, risky code, secrets in files, the Dockerfile."""
