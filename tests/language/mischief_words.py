"""The words of mischief: what may never stand in an expression, and what does not go together.

``{file}`` becomes a file that nothing may read, ``{statement}`` one of the statements.
"""

from __future__ import annotations

SEPARATOR = " \u00a6 "


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.strip("\n").replace("\n", SEPARATOR).split(SEPARATOR))


# Files, tables, settings, statements, other people's rows, code of one's own.
FORBIDDEN = _words(
    """
(SELECT 1) ¦ (SELECT secret FROM canary) ¦ (TABLE canary) ¦ (FROM canary) ¦ (VALUES (1))
(WITH c AS (SELECT 1) SELECT * FROM c) ¦ EXISTS (SELECT 1) ¦ ANY (SELECT secret FROM canary)
read_csv('{file}') ¦ read_text('{file}') ¦ read_blob('{file}') ¦ read_parquet('{file}')
'{file}'.secret ¦ (SELECT content FROM read_text('{file}')) ¦ (SELECT * FROM '{file}') ¦ glob('{file}')
sniff_csv('{file}') ¦ getenv('HOME') ¦ current_setting('threads') ¦ getvariable('x') ¦ current_user()
version() ¦ current_database() ¦ current_schema() ¦ txid_current() ¦ pg_typeof(age) ¦ currval('s')
nextval('s') ¦ canary_function() ¦ canary_function(age) ¦ canary.secret ¦ main.canary.secret
memory.main.canary.secret ¦ canary ¦ features ¦ query('SELECT 1') ¦ query_table('canary')
duckdb_settings() ¦ pragma_version() ¦ sum(age) ¦ count(*) ¦ max(age) OVER ()
row_number() OVER (ORDER BY age) ¦ list(age) ¦ first(age) ¦ random() ¦ uuid() ¦ gen_random_uuid()
now() ¦ today() ¦ current_date ¦ current_timestamp ¦ setseed(1) ¦ (x -> x + 1)
list_transform([1], lambda x: x) ¦ [1, 2, 3] ¦ {{'a': 1}} ¦ MAP {{'a': 1}} ¦ (1, 2) ¦ row(1) ¦ age.field
age[1] ¦ band[1:2] ¦ age COLLATE nocase ¦ band COLLATE de ¦ CAST(age AS canary_type)
CAST(age AS STRUCT(a INTEGER)) ¦ age::INTEGER[] ¦ CAST(band AS JSON) ¦ age::DECIMAL(3, 1) ¦ age::main.x
regexp_matches(band, '(a+)+$') ¦ regexp_replace(band, 'a', 'b') ¦ repeat('x', 1000000000)
printf('%d', 1) ¦ range(1000000000) ¦ generate_series(1, 10) ¦ unnest([1]) ¦ error('x') ¦ sleep(1)
pg_sleep(10) ¦ eval('1') ¦ $1 ¦ ? ¦ :x ¦ $name ¦ #1 ¦ * ¦ age.* ¦ COLUMNS('.*') ¦ COLUMNS(*) ¦ EXCLUDE
DEFAULT ¦ @@version ¦ INTERVAL 3 DAY ¦ TIMESTAMP '2026-01-01 00:00:00' ¦ x'ab' ¦ E'\\x00' ¦ U&'\\0041'
B'101' ¦ 1_000 ¦ 0x1F ¦ 1e999 ¦ 99999999999999999999 ¦ 1.12345678901234567 ¦ age ^ 2 ¦ age ** 2
age << 1 ¦ ~age ¦ age ! ¦ @age ¦ lower(band) FILTER (WHERE age > 1) ¦ lower(DISTINCT band) ¦ abs(x := 1)
main.abs(age) ¦ abs() ¦ abs(1, 2) ¦ TRY(1 / 0) ¦ if(age > 1, 2, 3) ¦ band SIMILAR TO 'a' ¦ band ~ 'a'
band GLOB 'a' ¦ band LIKE 'a' ESCAPE 'b' ¦ POSITION('a' IN band) ¦ EXTRACT(year FROM seen_date)
age -> 1 ¦ band ->> 'a' ¦ age :: NULL ¦ GROUPING(age) ¦ months_before(age) ¦ months_before(1201)
months_before(-1) ¦ days_before(1.5) ¦ as_of() ¦ calendar_year_start
"""
)
STATEMENTS = _words(
    """
COPY canary TO '{file}.copy' ¦ COPY (SELECT 1) TO '{file}.copy' ¦ COPY canary FROM '{file}'
DROP TABLE canary ¦ ATTACH '{file}' AS other ¦ DETACH other ¦ PRAGMA database_list ¦ SET threads = 1
RESET threads ¦ LOAD httpfs ¦ INSTALL httpfs ¦ CREATE TABLE stolen AS SELECT 1
INSERT INTO canary VALUES ('x') ¦ DELETE FROM canary ¦ UPDATE canary SET secret = 'x'
CALL pragma_version() ¦ EXPORT DATABASE '{file}.db' ¦ EXPLAIN SELECT 1 ¦ USE main
CREATE MACRO f(x) AS x ¦ PREPARE p AS SELECT 1 ¦ EXECUTE p ¦ CHECKPOINT ¦ VACUUM ¦ BEGIN
SUMMARIZE canary
"""
)
# What cannot follow a condition.
ENDINGS = _words(
    """
; {statement} ¦ ; ¦  FROM canary ¦  UNION SELECT secret FROM canary ¦  UNION ALL FROM canary
 ORDER BY 1 ¦  LIMIT 1 ¦  WHERE TRUE ¦  GROUP BY age ¦  HAVING TRUE ¦  QUALIFY TRUE ¦  WINDOW w AS ()
 USING SAMPLE 1 ¦  OFFSET 1 ¦  AS x ¦  x ¦ , 1 ¦ , secret ¦  --  ¦  /* x */ ¦  /* ¦ ) ¦ ( ¦ ' ¦ " ¦  AND
 OR ¦  $$ ¦  \\ ¦ \x00 ¦ \u2028 ¦  INTO x ¦  FOR UPDATE ¦  INTERSECT SELECT 1 ¦  EXCEPT SELECT 1
 PIVOT (1) ¦ :: ¦ [ ¦ {{ ¦  IS ¦  NOT ¦  IN ¦  IN () ¦  BETWEEN 1
"""
)
PLACES = _words(
    """
{} = 1 ¦ age > {} ¦ {} IS NULL ¦ age IN (1, {}) ¦ coalesce({}, 1) = 1 ¦ NOT ({} = 1)
age BETWEEN 1 AND {} ¦ CASE WHEN has_copd THEN {} ELSE 1 END = 1 ¦ has_copd AND {} > 1 ¦ abs({}) > 1
TRUE OR ({} = age) ¦ ({}) ¦ {} ¦ CAST({} AS VARCHAR) = 'x' ¦ greatest(age, {}) > 1 ¦ lower({}) = 'x'
{} IN ('x') ¦ - {} > 1 ¦ date_diff('day', {}, as_of) > 1
"""
)
CLASHES = _words(
    """
{a} = {b} ¦ {a} < {b} ¦ {a} <> {b} ¦ {a} IN ({a}, {b}) ¦ {a} BETWEEN {b} AND {b}
{a} IS DISTINCT FROM {b} ¦ coalesce({a}, {b}) = {a} ¦ CASE WHEN TRUE THEN {a} ELSE {b} END = {a}
greatest({a}, {b}) = {a} ¦ nullif({a}, {b}) IS NULL ¦ CASE {a} WHEN {b} THEN TRUE END ¦ {a} NOT IN ({b})
NOT ({a} >= {b}) ¦ TRUE AND ({a} = {b})
"""
)
MISUSES = _words(
    """
{n} AND TRUE ¦ NOT {n} ¦ {t} OR has_copd ¦ {d} ¦ {t} ¦ {n} ¦ {t} + 1 > 1 ¦ {b} + 1 > 1 ¦ {t} * {n} = 1
{d} * 2 = 1 ¦ {n} LIKE '1%' ¦ {d} LIKE '2%' ¦ {b} ILIKE 't%' ¦ {n} || 'x' = 'y' ¦ lower({n}) = 'x'
length({d}) = 1 ¦ abs({t}) = 1 ¦ year({n}) = 1 ¦ month({t}) = 1 ¦ date_diff('month', {d}, {d}) = 1
date_diff('day', {n}, {d}) = 1 ¦ {d} + {d} > {d} ¦ {d} + 1.5 > {d} ¦ {d} - {n} > 'x' ¦ round({t}) = 1
round(efi, age) = 1 ¦ substring({t}, 0) = 'x' ¦ starts_with({n}, 'x') ¦ CAST({t} AS INTEGER) = 1
CAST(efi AS INTEGER) = 1 ¦ CAST({d} AS INTEGER) = 1 ¦ CAST(efi AS VARCHAR) = 'x' ¦ {n} IS TRUE
seen_date < DATE '2026-13-01' ¦ seen_date < '2026-02-30' ¦ seen_date = '1/4/2026' ¦ seen_date < 20260401
efi % 2 = 1 ¦ band = 'sever' ¦ band IN ('fit', 'Mild') ¦ band <> 'none' ¦ 'modrate' = band ¦ band = ''
band = manager || (1) ¦ manager LIKE code ¦ manager LIKE 'a\\b' ¦ seen_date < month_before(3)
seen_date < as_off ¦ seen_date < months_before
"""
)
