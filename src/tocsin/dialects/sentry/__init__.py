"""What Sentry SDKs, `sentry-cli` and `curl` send about cron jobs, turned into reports. See README.md in this folder."""
