//! Where each kind of look-up is found.

use actix_web::{HttpResponse, delete, get, post, put, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::lookups;
use crate::http::{body::Body, call::Call, params::Params, problem::Problem};

/// The handlers of a kind, in a module of their own: each calls the one in `lookups` that all kinds share.
macro_rules! lookup {
    (
        $module:ident: $kind:ident, $id:ident, $details:ident, $changes:ident, $view:ident;
        GET $list_path:literal $list:ident, POST $create_path:literal $create:ident,
        GET $one_path:literal $one:ident, PUT $update_path:literal $update:ident,
        DELETE $delete_path:literal $delete:ident, POST $restore_path:literal $restore:ident;
    ) => {
        mod $module {
            use super::{Body, Call, HttpResponse, Params, Problem, ServiceConfig, delete, get, lookups, post, put, web};
            use kernel::$id;
            use reference::{$kind, $view, kinds::{$changes, $details}};

            /// Those that may be chosen, by name.
            #[utoipa::path(tag = "look-ups", responses((status = 200), (status = 401), (status = 403)))]
            #[get($list_path)]
            async fn $list(call: Call, params: Params) -> Result<HttpResponse, Problem> {
                lookups::list::<$kind>(call, params).await
            }

            /// Creates one.
            #[utoipa::path(tag = "look-ups", request_body = $details,
                responses((status = 201, body = $view), (status = 409), (status = 422)))]
            #[post($create_path)]
            async fn $create(call: Call, body: Body<$details>) -> Result<HttpResponse, Problem> {
                lookups::create::<$kind>(call, body).await
            }

            /// One of them.
            #[utoipa::path(tag = "look-ups", params(("id" = $id, Path)),
                responses((status = 200, body = $view), (status = 404)))]
            #[get($one_path)]
            async fn $one(call: Call, id: web::Path<$id>) -> Result<HttpResponse, Problem> {
                lookups::one::<$kind>(call, *id).await
            }

            /// Changes one; absent keeps, null clears.
            #[utoipa::path(tag = "look-ups", params(("id" = $id, Path)), request_body = $changes,
                responses((status = 200, body = $view), (status = 404), (status = 409), (status = 412), (status = 422)))]
            #[put($update_path)]
            async fn $update(call: Call, id: web::Path<$id>, body: Body<$changes>) -> Result<HttpResponse, Problem> {
                lookups::update::<$kind>(call, *id, body).await
            }

            /// Deletes one: what refers to it keeps it, nothing new may refer to it.
            #[utoipa::path(tag = "look-ups", params(("id" = $id, Path)), responses((status = 204), (status = 404), (status = 409)))]
            #[delete($delete_path)]
            async fn $delete(call: Call, id: web::Path<$id>) -> Result<HttpResponse, Problem> {
                lookups::delete::<$kind>(call, *id).await
            }

            /// Brings a deleted one back.
            #[utoipa::path(tag = "look-ups", params(("id" = $id, Path)),
                responses((status = 200, body = $view), (status = 404), (status = 409)))]
            #[post($restore_path)]
            async fn $restore(call: Call, id: web::Path<$id>) -> Result<HttpResponse, Problem> {
                lookups::restore::<$kind>(call, *id).await
            }

            pub(super) fn routes(config: &mut ServiceConfig<'_>) {
                config
                    .service($list)
                    .service($create)
                    .service($one)
                    .service($update)
                    .service($delete)
                    .service($restore);
            }
        }
    };
}

lookup! {
    regions: RegionKind, RegionId, RegionDetails, RegionChanges, RegionView;
    GET "/api/common/regions/" list_regions, POST "/api/common/region/" create_region,
    GET "/api/common/region/{id}/" get_region, PUT "/api/common/region/{id}/update/" update_region,
    DELETE "/api/common/region/{id}/delete/" delete_region, POST "/api/common/region/{id}/restore/" restore_region;
}

lookup! {
    currencies: CurrencyKind, CurrencyId, CurrencyDetails, CurrencyChanges, CurrencyView;
    GET "/api/common/currencies/" list_currencies, POST "/api/common/currency/" create_currency,
    GET "/api/common/currency/{id}/" get_currency, PUT "/api/common/currency/{id}/update/" update_currency,
    DELETE "/api/common/currency/{id}/delete/" delete_currency, POST "/api/common/currency/{id}/restore/" restore_currency;
}

lookup! {
    operations_roles: OperationsRoleKind, OperationsRoleId, OperationsRoleDetails, OperationsRoleChanges, OperationsRoleView;
    GET "/api/common/operations-roles/" list_operations_roles, POST "/api/common/operations-role/" create_operations_role,
    GET "/api/common/operations-role/{id}/" get_operations_role, PUT "/api/common/operations-role/{id}/update/" update_operations_role,
    DELETE "/api/common/operations-role/{id}/delete/" delete_operations_role, POST "/api/common/operations-role/{id}/restore/" restore_operations_role;
}

lookup! {
    consultant_roles: ConsultantRoleKind, ConsultantRoleId, ConsultantRoleDetails, ConsultantRoleChanges, ConsultantRoleView;
    GET "/api/common/consultant-roles/" list_consultant_roles, POST "/api/common/consultant-role/" create_consultant_role,
    GET "/api/common/consultant-role/{id}/" get_consultant_role, PUT "/api/common/consultant-role/{id}/update/" update_consultant_role,
    DELETE "/api/common/consultant-role/{id}/delete/" delete_consultant_role, POST "/api/common/consultant-role/{id}/restore/" restore_consultant_role;
}

lookup! {
    industry_types: IndustryTypeKind, IndustryTypeId, IndustryTypeDetails, IndustryTypeChanges, IndustryTypeView;
    GET "/api/common/industry-types/" list_industry_types, POST "/api/common/industry-type/" create_industry_type,
    GET "/api/common/industry-type/{id}/" get_industry_type, PUT "/api/common/industry-type/{id}/update/" update_industry_type,
    DELETE "/api/common/industry-type/{id}/delete/" delete_industry_type, POST "/api/common/industry-type/{id}/restore/" restore_industry_type;
}

lookup! {
    verticals: VerticalKind, VerticalId, VerticalDetails, VerticalChanges, VerticalView;
    GET "/api/common/verticals/" list_verticals, POST "/api/common/vertical/" create_vertical,
    GET "/api/common/vertical/{id}/" get_vertical, PUT "/api/common/vertical/{id}/update/" update_vertical,
    DELETE "/api/common/vertical/{id}/delete/" delete_vertical, POST "/api/common/vertical/{id}/restore/" restore_vertical;
}

lookup! {
    solution_components: SolutionComponentKind, SolutionComponentId, SolutionComponentDetails, SolutionComponentChanges,
        SolutionComponentView;
    GET "/api/solution_components/" list_solution_components, POST "/api/solution_components/" create_solution_component,
    GET "/api/solution_components/{id}/" get_solution_component,
    PUT "/api/solution_components/{id}/" update_solution_component,
    DELETE "/api/solution_components/{id}/" delete_solution_component,
    POST "/api/solution_components/{id}/restore/" restore_solution_component;
}

pub(in crate::http) fn routes(config: &mut ServiceConfig<'_>) {
    regions::routes(config);
    currencies::routes(config);
    operations_roles::routes(config);
    consultant_roles::routes(config);
    industry_types::routes(config);
    verticals::routes(config);
    solution_components::routes(config);
}
