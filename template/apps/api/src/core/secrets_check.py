"""Where `platform doctor` looks for the check; it is the same for every service."""

from shared.secrets_check import check_secrets as check_secrets
