//! Which opportunities does the lever library know? Asked by staff who look for levers.

use engagement::{business_case::OpportunityTemplate, lever_library::LeverLibraryEvent};
use runtime::page::Order;
use serde_json::{Map, Value, json};

use crate::item_table::{ItemTable, members};

pub struct OpportunityTemplateList;

impl ItemTable for OpportunityTemplateList {
    type Event = LeverLibraryEvent;
    type Item = OpportunityTemplate;
    const NAME: &'static str = "opportunity_template_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["lever_library"];
    const COLUMNS: &'static str = "code text NOT NULL, title text NOT NULL, lever text NOT NULL,
        vertical_id bigint NOT NULL, is_active boolean NOT NULL";
    const INDEXES: &'static str = "";

    fn items(event: LeverLibraryEvent) -> Vec<OpportunityTemplate> {
        let LeverLibraryEvent::TemplatesImported { templates, .. } = event;
        templates
    }

    fn id(template: &OpportunityTemplate) -> i64 {
        template.id.get()
    }

    fn columns(template: &OpportunityTemplate) -> Map<String, Value> {
        members(json!({
            "code": template.code,
            "title": template.title,
            "lever": template.lever,
            "vertical_id": template.vertical.id,
            "is_active": template.is_active,
        }))
    }
}

/// By code, which begins with the vertical's.
pub const ORDER: Order = Order { column: "code", sql_type: "text", descending: false };
