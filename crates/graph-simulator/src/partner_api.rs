//! The handle of a partner over HTTP.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api_request::{Result, done, not_found, parse, timestamp};
use crate::customer::Customer;
use crate::handle::SimulatorHandle;
use crate::partner_handle::PartnerHandle;
use crate::partner_options::PartnerPermission;
use crate::relationship::{NO_EXTENSION, Relationship};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignUpBody {
    name: String,
    display_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountBody {
    count: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerBody {
    name: String,
    tenant_id: Option<String>,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    relationships: Vec<RelationshipBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationshipBody {
    #[serde(default)]
    display_name: String,
    #[serde(default = "active")]
    status: String,
    ends: Option<String>,
    #[serde(default = "no_extension")]
    auto_extend: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameBody {
    display_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberBody {
    name: String,
    #[serde(default = "active")]
    state: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PermissionBody {
    permission: PartnerPermission,
}

fn active() -> String {
    "active".to_owned()
}

fn no_extension() -> String {
    NO_EXTENSION.to_owned()
}

/// Answers a request whose path is `segments` behind `/partners/NAME`.
pub(crate) fn route(
    handle: &SimulatorHandle,
    name: &str,
    (method, segments): (&str, &[&str]),
    body: &[u8],
) -> Result<Value> {
    let partner = handle.partner(name)?;
    match (method, segments) {
        ("GET", ["customers"]) => return Ok(customers(&partner)),
        ("POST", ["customers"]) => partner.add(customer(parse(body)?)?),
        ("POST", ["sign-up"]) => {
            let SignUpBody { name, display_name } = parse(body)?;
            let customer = partner.sign_up(&name, &display_name)?;
            return Ok(customer_json(&customer));
        }
        ("POST", ["sign-up-many"]) => {
            let CountBody { count } = parse(body)?;
            partner.sign_up_many(count)?;
        }
        ("DELETE", ["customers", customer]) => partner.remove(customer)?,
        ("POST", ["customers", customer, "rename"]) => {
            let NameBody { display_name } = parse(body)?;
            partner.rename(customer, &display_name)?;
        }
        ("POST", ["customers", customer, "relationships"]) => {
            let relationships = relationships(parse(body)?)?;
            partner.set_relationships(customer, &relationships)?;
        }
        ("POST", ["grant"]) => {
            let PermissionBody { permission } = parse(body)?;
            partner.grant(permission);
        }
        ("POST", ["revoke"]) => {
            let PermissionBody { permission } = parse(body)?;
            partner.revoke(permission);
        }
        ("POST", ["organization"]) => {
            let members: Vec<MemberBody> = parse(body)?;
            let members = members.iter();
            let members = members.map(|it| (it.name.as_str(), it.state.as_str()));
            partner.set_organization(&members.collect::<Vec<_>>())?;
        }
        _ => {
            let path = segments.join("/");
            return Err(not_found(format!(
                "no {method} /partners/{name}/{path}; GET / lists the requests"
            )));
        }
    }
    Ok(done())
}

fn customer(body: CustomerBody) -> Result<Customer> {
    Ok(Customer {
        name: body.name,
        tenant_id: body.tenant_id,
        display_name: body.display_name,
        relationships: relationships(body.relationships)?,
    })
}

fn relationships(bodies: Vec<RelationshipBody>) -> Result<Vec<Relationship>> {
    let relationship = |body: RelationshipBody| {
        let ends = body.ends.as_deref();
        Ok(Relationship {
            display_name: body.display_name,
            status: body.status,
            ends: ends.map(|text| timestamp("ends", text)).transpose()?,
            auto_extend: body.auto_extend,
        })
    };
    bodies.into_iter().map(relationship).collect()
}

fn customers(partner: &PartnerHandle) -> Value {
    partner.customers().iter().map(customer_json).collect()
}

fn customer_json(customer: &Customer) -> Value {
    let relationship = |it: &Relationship| {
        json!({
            "display_name": it.display_name,
            "status": it.status,
            "ends": it.ends.map(|ends| ends.to_string()),
            "auto_extend": it.auto_extend,
        })
    };
    let relationships: Value = customer.relationships.iter().map(relationship).collect();
    json!({
        "name": customer.name,
        "tenant_id": customer.tenant_id,
        "display_name": customer.display_name,
        "relationships": relationships,
    })
}
