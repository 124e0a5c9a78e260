"""Random inputs have no deadline, as the machine may be busy, and leave no folder behind."""

from hypothesis import HealthCheck, settings

settings.register_profile("metrics", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("metrics")
