//! A customer in a partner's list.

use serde_json::{Map, Value, json};

use crate::relationship::Relationship;
use crate::rng::draw;

/// A customer of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The name of its tenant in the simulator, or any other that the handle finds it by.
    pub name: String,
    /// The tenant's GUID or any other text; `None` for an element without ids.
    pub tenant_id: Option<String>,
    /// The display name in the list.
    pub display_name: String,
    /// Its relationships, whatever their status.
    pub relationships: Vec<Relationship>,
}

impl Customer {
    /// The element of `delegatedAdminCustomers`.
    pub(crate) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert(
            "@odata.type".to_owned(),
            json!("#microsoft.graph.delegatedAdminCustomer"),
        );
        if let Some(id) = &self.tenant_id {
            fields.insert("@odata.etag".to_owned(), json!(format!("W/\"{id}\"")));
            fields.insert("id".to_owned(), json!(id));
            fields.insert("tenantId".to_owned(), json!(id));
        }
        fields.insert("displayName".to_owned(), json!(self.display_name));
        Value::Object(fields)
    }

    /// The elements of `delegatedAdminRelationships`.
    pub(crate) fn relationships_json(&self, seed: u64) -> impl Iterator<Item = Value> {
        let id = self.tenant_id.as_deref().unwrap_or_default();
        let (owner, seed) = ((id, self.display_name.as_str()), draw(seed, id, 0));
        let all = self.relationships.iter().enumerate();
        all.map(move |(number, it)| it.to_json(owner, seed, number))
    }

    /// Ends its active relationships.
    pub(crate) fn terminate(&mut self) {
        for relationship in &mut self.relationships {
            if relationship.status == "active" {
                "terminated".clone_into(&mut relationship.status);
            }
        }
    }
}
