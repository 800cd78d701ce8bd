//! What a statement of the store is for SQLite.

use rusqlite::{Statement, types::ValueRef};

use crate::store::{DatabaseError, Row, Value};

/// The parameters of a statement in the order in which each first stands in it. SQLite takes `$3` for a name and numbers
/// names as they come; PostgreSQL means the third value.
pub(super) fn parameters(sql: &str) -> impl Iterator<Item = usize> {
    let mut seen = 0u64;
    sql.split('$').skip(1).filter_map(move |behind| {
        let end = behind.find(|char: char| !char.is_ascii_digit());
        let number = behind[..end.unwrap_or(behind.len())].parse().ok()?;
        let bit = 1u64.checked_shl(number)?;
        let is_first = seen & bit == 0;
        seen |= bit;
        is_first.then_some(number as usize)
    })
}

/// Gives the parameters of a statement their values; `parameters` says which of `values` each takes.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    parameters: impl IntoIterator<Item = usize>,
    values: &[Value],
) -> Result<(), DatabaseError> {
    let mut bound = 0;
    for number in parameters {
        bound += 1;
        let value = number
            .checked_sub(1)
            .and_then(|at| values.get(at))
            .ok_or_else(|| DatabaseError::new("a statement has a parameter without a value"))?;
        match value {
            Value::Null => statement.raw_bind_parameter(bound, rusqlite::types::Null),
            Value::Integer(value) => statement.raw_bind_parameter(bound, value),
            Value::Text(value) => statement.raw_bind_parameter(bound, value),
            Value::Bytes(value) => statement.raw_bind_parameter(bound, value),
        }
        .map_err(DatabaseError::new)?;
    }
    if bound != statement.parameter_count() {
        return Err(DatabaseError::new(
            "the parameters of a statement are not what they seem",
        ));
    }
    Ok(())
}

/// The answer to a statement whose parameters are bound.
pub(super) fn rows(statement: &mut Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut answer = Vec::new();
    while let Some(row) = rows.next().map_err(DatabaseError::new)? {
        let values = (0..columns)
            .map(|column| {
                row.get_ref(column)
                    .map_err(DatabaseError::new)
                    .and_then(value)
            })
            .collect::<Result<_, _>>()?;
        answer.push(Row::new(values));
    }
    Ok(answer)
}

fn value(value: ValueRef<'_>) -> Result<Value, DatabaseError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Text(value) => {
            Value::Text(String::from_utf8(value.to_vec()).map_err(DatabaseError::new)?)
        }
        ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
        ValueRef::Real(_) => return Err(DatabaseError::new("a column holds a float")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_in_the_order_in_which_they_first_stand() {
        let order = |sql| parameters(sql).collect::<Vec<_>>();
        assert!(order("SELECT 1").is_empty());
        assert_eq!(
            order("a = $2 AND (b = $10 OR $2 IS NULL) AND c = $1"),
            [2, 10, 1]
        );
        assert_eq!(order("$1,$2"), [1, 2]);
    }
}
