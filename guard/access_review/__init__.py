"""Who could see a field on a day, under which policy; and the sign-off that somebody looked.

roster   the directory and the policy as they were at an instant, out of the log
reach    the most open form that each kind of person could have got
service  recertification: signed by one, countersigned by another, due again after half a year
"""

from guard.access_review.reach import Access, Group, access_to
from guard.access_review.roster import Roster, policy_on, roster_on
from guard.access_review.service import AccessReviews

__all__ = ["Access", "AccessReviews", "Group", "Roster", "access_to", "policy_on", "roster_on"]
