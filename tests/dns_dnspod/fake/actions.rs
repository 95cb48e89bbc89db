//! The fake's actions.

use serde_json::{Value, json};

use super::zone::{LINES, Line, Record, Zone};
use super::{Call, Refusal};

pub(crate) fn answer(zone: &mut Zone, call: &Call) -> Result<Value, Refusal> {
    if let Some(domain) = call.body.get("Domain")
        && domain != "yourapp.com"
    {
        let message = "当前域名有误，请返回重新操作。".to_owned();
        return Err(("InvalidParameterValue.DomainNotExists", message));
    }
    match call.action.as_str() {
        "DescribeDomain" => Ok(domain(zone)),
        "DescribeDomainList" => Ok(json!({
            "DomainCountInfo": {"DomainTotal": 1, "AllTotal": 1},
            "DomainList": [{"DomainId": 62, "Name": "yourapp.com", "Status": "ENABLE", "TTL": 600}],
        })),
        "DescribePackageDetail" => Ok(json!({
            "Info": [
                {"DomainGrade": "DP_FREE", "MinTtl": 600},
                {"DomainGrade": "DP_ULTRA", "MinTtl": 1},
            ],
            "LevelMap": ["DP_FREE", "DP_ULTRA"],
        })),
        "DescribeRecordLineCategoryList" => Ok(lines(zone)),
        "DescribeRecordList" => list(zone, &call.body),
        "CreateRecord" => {
            let record = record(zone, &call.body, None)?;
            let id = record.id;
            zone.records.push(record);
            zone.written();
            Ok(json!({"RecordId": id}))
        }
        "ModifyRecord" => {
            let at = position(zone, &call.body)?;
            let id = zone.records[at].id;
            zone.records[at] = record(zone, &call.body, Some(id))?;
            zone.written();
            Ok(json!({"RecordId": id}))
        }
        "DeleteRecord" => {
            let at = position(zone, &call.body)?;
            zone.records.remove(at);
            zone.written();
            Ok(json!({}))
        }
        other => Err(("InvalidAction", format!("no action {other}"))),
    }
}

fn domain(zone: &Zone) -> Value {
    json!({"DomainInfo": {
        "DomainId": 62, "Domain": "yourapp.com", "Punycode": "yourapp.com", "Status": "ENABLE",
        "Grade": zone.grade, "GradeLevel": 2, "GradeTitle": "免费版", "IsVip": "NO", "TTL": 600,
        "DnsStatus": "", "DnspodNsList": ["cat.dnspod.net", "dog.dnspod.net"],
        "RecordCount": zone.records.len(), "VipStartAt": null, "TagList": null,
    }})
}

fn lines(zone: &Zone) -> Value {
    let item = |line: &Line| {
        json!({
            "LineName": line.name, "LineId": line.id, "Useful": zone.is_useful(line),
            "Grade": if line.free { "DP_FREE" } else { "DP_PLUS" }, "SubGroup": null, "Lines": null,
        })
    };
    let (top, below): (Vec<&Line>, Vec<&Line>) = LINES
        .iter()
        .partition(|line| !line.id.starts_with("3=") || line.id == "3=0");
    let mut list: Vec<Value> = top.into_iter().map(item).collect();
    let below: Vec<Value> = below.into_iter().map(item).collect();
    list.push(json!({
        "LineName": "境外分区", "LineId": null, "Useful": true, "Grade": null, "Lines": null,
        "SubGroup": below,
    }));
    json!({"LineList": list})
}

fn list(zone: &Zone, body: &Value) -> Result<Value, Refusal> {
    let field = |name: &str| body.get(name).and_then(Value::as_str);
    let records: Vec<Record> = zone
        .listed()
        .into_iter()
        .filter(|record| field("Subdomain").is_none_or(|name| name == record.name))
        .filter(|record| field("RecordType").is_none_or(|kind| kind == record.kind))
        .collect();
    if records.is_empty() && field("ErrorOnEmpty") != Some("no") {
        return Err((
            "ResourceNotFound.NoDataOfRecord",
            "记录列表为空。".to_owned(),
        ));
    }
    let offset = usize::try_from(body["Offset"].as_u64().unwrap()).unwrap();
    let limit = usize::try_from(body["Limit"].as_u64().unwrap()).unwrap();
    let page = records.iter().skip(offset).take(limit.min(zone.page));
    let page: Vec<Value> = page.map(item).collect();
    Ok(json!({
        "RecordCountInfo": {
            "SubdomainCount": records.len(), "ListCount": page.len(), "TotalCount": records.len(),
        },
        "RecordList": page,
    }))
}

fn item(record: &Record) -> Value {
    let line = LINES.iter().find(|line| line.id == record.line);
    json!({
        "RecordId": record.id, "Name": record.name, "Type": record.kind, "Value": record.value,
        "Line": line.map_or("", |line| line.name), "LineId": record.line, "TTL": record.ttl, "MX": 0,
        "Weight": record.weight, "Status": record.status, "Remark": record.remark,
        "UpdatedOn": "2026-11-24 10:00:00", "MonitorStatus": "", "DefaultNS": false,
    })
}

fn position(zone: &Zone, body: &Value) -> Result<usize, Refusal> {
    let id = body["RecordId"].as_u64();
    let at = zone.records.iter().position(|record| Some(record.id) == id);
    at.ok_or_else(|| {
        (
            "InvalidParameter.RecordIdInvalid",
            "记录编号错误。".to_owned(),
        )
    })
}

/// The record that a call asks for, `id` its own where there is one already.
fn record(zone: &mut Zone, body: &Value, id: Option<u64>) -> Result<Record, Refusal> {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let kind = text("RecordType");
    if !["A", "AAAA", "CNAME", "TXT"].contains(&kind.as_str()) {
        return Err((
            "InvalidParameter.RecordTypeInvalid",
            "记录类型不正确。".to_owned(),
        ));
    }
    let line = LINES.iter().find(|line| line.id == text("RecordLineId"));
    let Some(line) = line.filter(|line| zone.is_useful(line)) else {
        return Err((
            "InvalidParameter.RecordLineInvalid",
            "记录线路不正确。".to_owned(),
        ));
    };
    let least = zone.least_ttl();
    let ttl = body["TTL"].as_u64().unwrap_or(600);
    if ttl < least {
        let message = format!("TTL 最小值为 {least}。");
        return Err(("LimitExceeded.RecordTtlLimit", message));
    }
    let name = text("SubDomain");
    let others = || {
        zone.records
            .iter()
            .filter(|one| Some(one.id) != id && one.name == name)
    };
    let same = |one: &&Record| one.line == line.id && one.kind == kind;
    if others().filter(same).any(|one| one.value == text("Value")) {
        let message = "记录已经存在，无需再次添加。".to_owned();
        return Err(("InvalidParameter.DomainRecordExist", message));
    }
    if others().filter(same).count() >= 2 && zone.grade == "DP_FREE" {
        let message = "同一主机记录的负载均衡数量超限。".to_owned();
        return Err(("LimitExceeded.SubdomainRollLimit", message));
    }
    let alias = |one: &Record| one.line == line.id && (one.kind == "CNAME") != (kind == "CNAME");
    if others().any(alias) {
        let message = "与已有的 CNAME 记录冲突。".to_owned();
        return Err(("InvalidParameter.RecordConflict", message));
    }
    Ok(Record {
        id: id.unwrap_or_else(|| zone.next_id()),
        name,
        kind,
        line: line.id.to_owned(),
        value: text("Value"),
        ttl,
        weight: body["Weight"].as_u64(),
        status: text("Status"),
        remark: text("Remark"),
    })
}
