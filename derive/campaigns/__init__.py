"""Campaigns: problems described as plain data, derived and verified by the thousand on any Executor."""

from derive.campaigns.files import read_jobs
from derive.campaigns.job import Job, job_of
from derive.campaigns.many import prepare, verified, verify_many

__all__ = ["Job", "job_of", "prepare", "read_jobs", "verified", "verify_many"]
