"""The selective scan of state-space models: one operator, several forms that compute it."""

from baselines.medmamba.scan.operator import (
    FORMS,
    OPERATOR,
    form_for,
    scan_macs,
    selective_scan,
    use_form,
)

__all__ = ["FORMS", "OPERATOR", "form_for", "scan_macs", "selective_scan", "use_form"]
