//! Reading rows with a prepared statement.

use futures_util::TryStreamExt as _;
use tokio_postgres::{GenericClient, types::ToSql};

use super::attempt::Failure;
use crate::store::database::Row;

pub(super) async fn query(
    client: &impl GenericClient,
    prepared: &tokio_postgres::Statement,
    params: &[impl ToSql + Sync],
) -> Result<Vec<Row>, Failure> {
    let rows = client.query_raw(prepared, params).await?;
    rows.map_err(Failure::from)
        .and_then(async |row| {
            let values = (0..row.len()).map(|column| row.try_get(column));
            Ok(Row::new(values.collect::<Result<_, _>>()?))
        })
        .try_collect()
        .await
}
