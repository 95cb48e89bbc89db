"""Holds recorded requests against the types of Cloudflare's official SDK: one JSON object a line on standard input.

Prints how many were checked. A request that the types do not take ends it with a message and status 1.
"""

import json
import re
import sys

from cloudflare.types.dns import record_batch_params, record_create_params
from cloudflare.types.load_balancers import (
    load_balancer_create_params,
    load_balancer_update_params,
    monitor_create_params,
    monitor_update_params,
    pool_create_params,
    pool_update_params,
)
from pydantic import TypeAdapter

ACCOUNT, ZONE = {"account_id": "a"}, {"zone_id": "z"}
TYPES = [
    ("POST", r"accounts/\w+/load_balancers/monitors", monitor_create_params.MonitorCreateParams, ACCOUNT),
    ("PUT", r"accounts/\w+/load_balancers/monitors/\w+", monitor_update_params.MonitorUpdateParams, ACCOUNT),
    # The type of a create lacks check_regions, which that of an update has and the interface takes in both.
    ("POST", r"accounts/\w+/load_balancers/pools", pool_create_params.PoolCreateParams, ACCOUNT),
    ("PUT", r"accounts/\w+/load_balancers/pools/\w+", pool_update_params.PoolUpdateParams, ACCOUNT),
    ("POST", r"zones/\w+/load_balancers", load_balancer_create_params.LoadBalancerCreateParams, ZONE),
    ("PUT", r"zones/\w+/load_balancers/\w+", load_balancer_update_params.LoadBalancerUpdateParams, ZONE),
    ("POST", r"zones/\w+/dns_records/batch", record_batch_params.RecordBatchParams, ZONE),
    ("POST", r"zones/\w+/dns_records", record_create_params.TXTRecord, ZONE),
]
BEYOND = {"PoolCreateParams": {"check_regions"}}
# Kept: what they took is checked on.
ADAPTERS = {}


def check(call):
    """The type that took the request, or nothing for a request without a body."""
    if call["method"] == "DELETE":
        assert call["body"] is None, call
        return None
    for method, path, kind, place in TYPES:
        if method == call["method"] and re.fullmatch(path, call["path"]):
            break
    else:
        raise ValueError(f"no type for {call['method']} {call['path']}")
    body = {**call["body"], **place}
    if "timeout" in body:
        body["load_balancer_monitor_timeout"] = body.pop("timeout")
    unknown = set(body) - kind.__required_keys__ - kind.__optional_keys__ - BEYOND.get(kind.__name__, set())
    if unknown:
        raise ValueError(f"{kind.__name__} has no {unknown}")
    adapter = ADAPTERS.setdefault(kind.__name__, TypeAdapter(kind))
    taken = adapter.validate_python(body, strict=True)
    # Lists are checked when they are read.
    for value in taken.values():
        if not isinstance(value, (str, int, float, dict, list, type(None))):
            list(value)
    return kind.__name__


counts = {}
for line in sys.stdin:
    call = json.loads(line)
    try:
        name = check(call) or "no body"
    except Exception as error:
        sys.exit(f"{call['method']} {call['path']}: {error}\n{json.dumps(call['body'])}")
    counts[name] = counts.get(name, 0) + 1
print(json.dumps(counts))
