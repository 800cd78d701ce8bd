//! Running a [`Statement`](crate::store::Statement) of the store on SQLite.

use rusqlite::{
    Statement,
    types::{Null, ValueRef},
};

use crate::store::database::{DatabaseError, MigrateError, Row, Value};

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(error)
    }
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// For each parameter of a statement, as SQLite numbers them, the index of its value. SQLite takes `$3` for a name, and numbers names
/// in the order of their first occurrence; the store means the third value.
pub(super) fn parameters(statement: &Statement<'_>) -> Result<Vec<usize>, DatabaseError> {
    let value_index = |parameter| {
        let name = statement.parameter_name(parameter)?;
        let number: usize = name.strip_prefix('$')?.parse().ok()?;
        number.checked_sub(1)
    };
    (1..=statement.parameter_count())
        .map(value_index)
        .collect::<Option<_>>()
        .ok_or_else(|| DatabaseError::new("a parameter of a statement is not a number"))
}

/// Binds the parameters of a statement to `values`; `parameters` has the index of each one's value.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    parameters: &[usize],
    values: &[Value],
) -> Result<(), DatabaseError> {
    for (parameter, &value_index) in (1..).zip(parameters) {
        let value = values
            .get(value_index)
            .ok_or_else(|| DatabaseError::new("a parameter of a statement has no value"))?;
        match value {
            Value::Null => statement.raw_bind_parameter(parameter, Null),
            Value::Integer(value) => statement.raw_bind_parameter(parameter, value),
            Value::Text(value) => statement.raw_bind_parameter(parameter, value),
            Value::Bytes(value) => statement.raw_bind_parameter(parameter, value),
        }?;
    }
    Ok(())
}

/// Runs a statement whose parameters are bound.
pub(super) fn rows(statement: &mut Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut answer = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| value(row.get_ref(column)?));
        answer.push(Row::new(values.collect::<Result<_, _>>()?));
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
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_parameter_takes_the_value_of_its_number() {
        let connection = Connection::open_in_memory().unwrap();
        let order = |sql| parameters(&connection.prepare(sql).unwrap());
        assert!(order("SELECT 1").unwrap().is_empty());
        assert_eq!(order("SELECT $2, $10, $2, $1, '$3'").unwrap(), [1, 9, 0]);
        assert!(order("SELECT $name").is_err());
        assert!(order("SELECT $0").is_err());
    }
}
