"""Tencent's own SDK as a judge: `oracle.py sign | models | client ADDRESS ID KEY`, JSON in and out."""

import json
import sys
import warnings

from tencentcloud.common import abstract_client, credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import (
    TencentCloudSDKException,
)
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.dnspod.v20210323 import dnspod_client, models

# The SDK warns of a field that its models do not have.
warnings.filterwarnings("error", message=".*useless.*")


def client(host, secret_id, secret_key):
    profile = ClientProfile(
        httpProfile=HttpProfile(protocol="http", endpoint=host, reqTimeout=10)
    )
    keys = credential.Credential(secret_id, secret_key)
    return dnspod_client.DnspodClient(keys, "", profile)


def sign(vectors):
    """The header Authorization of each vector, by the SDK's own way to it."""
    signed = []
    for vector in vectors:
        sdk = client(vector["host"], vector["id"], vector["key"])
        request = RequestInternal(vector["host"], "POST", "/", {})
        abstract_client.time.time = lambda: vector["time"]
        # The body is signed as it is; the SDK would write JSON with other spaces.
        dumps, abstract_client.json.dumps = abstract_client.json.dumps, lambda body: body
        try:
            sdk._build_req_with_tc3_signature("CreateRecord", vector["body"], request)
        finally:
            abstract_client.json.dumps = dumps
        signed.append(request.header["Authorization"])
    return signed


def read_models(calls):
    """How many bodies the SDK's models of requests hold, field by field and nothing left over."""
    for action, body in calls:
        model = getattr(models, action + "Request")()
        model._deserialize(body)
        written = {name: value for name, value in model._serialize().items() if value is not None}
        assert written == body, (action, written, body)
        for name, value in body.items():
            is_number = name in ("RecordId", "TTL", "Weight", "Offset", "Limit")
            assert isinstance(value, int if is_number else str), (action, name, value)
    return len(calls)


def drive(host, secret_id, secret_key):
    """A record's life and what there is besides, through the SDK's client."""
    sdk = client(host, secret_id, secret_key)

    def call(action, **fields):
        request = getattr(models, action + "Request")()
        request._deserialize(fields)
        return getattr(sdk, action)(request)

    zone = {"Domain": "yourapp.com"}
    record = {
        "SubDomain": "sdk",
        "RecordType": "A",
        "RecordLine": "默认",
        "RecordLineId": "0",
        "Value": "192.0.2.1",
        "TTL": 600,
        "Status": "ENABLE",
        "Remark": "来自 SDK",
    }
    made = call("CreateRecord", **zone, **record).RecordId
    call("ModifyRecord", **zone, **{**record, "Value": "192.0.2.2"}, RecordId=made)
    listed = call("DescribeRecordList", **zone, Subdomain="sdk", Offset=0, Limit=100)
    lines = call("DescribeRecordLineCategoryList", **zone).LineList
    seen = {
        "grade": call("DescribeDomain", **zone).DomainInfo.Grade,
        "least": call("DescribePackageDetail").Info[0].MinTtl,
        "value": listed.RecordList[0].Value,
        "line": listed.RecordList[0].Line,
        "remark": listed.RecordList[0].Remark,
        "total": listed.RecordCountInfo.TotalCount,
        "default": lines[0].Useful,
        "below": len(lines[-1].SubGroup),
        "zones": [one.Name for one in call("DescribeDomainList").DomainList],
    }
    call("DeleteRecord", **zone, RecordId=made)
    try:
        call("DeleteRecord", **zone, RecordId=made)
    except TencentCloudSDKException as refusal:
        seen["refusal"] = [refusal.code, bool(refusal.requestId)]
    return seen


given = json.load(sys.stdin)
answer = {"sign": sign, "models": read_models, "client": lambda arguments: drive(*arguments)}
json.dump(answer[sys.argv[1]](given), sys.stdout)
