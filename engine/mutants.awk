# Draws reports/mutants.md from the reasons why some mutants are equivalent, and from the outcomes of those tested.

BEGIN { FS = "\t" }

FILENAME == ARGV[1] {
  if ($0 != "" && $0 !~ /^#/) reason[$1] = $2
  next
}

$1 == "all" {
  all = $3
  next
}

{
  file = $1
  sub(/:.*/, "", file)
  outcome = $3
  if (outcome == "missed" && $1 in reason) outcome = "equivalent"
  if (!(file in files)) order[++many] = file
  files[file]++
  count[file, outcome]++
  total[outcome]++
  tested++
  if (!($4 in seen)) revisions = revisions (revisions ? ", " : "") "`" $4 "`"
  seen[$4] = 1
  what = $1
  sub(/^[^:]*: /, "", what)
  sub(/ #[0-9]+$/, "", what)
  line = "`" file ":" $2 "` | " code(what)
  if (outcome == "missed") missed[++n_missed] = "| " line " |"
  if (outcome == "equivalent") equal[++n_equal] = "| " line " | " reason[$1] " |"
  if (outcome == "timeout") hung[++n_hung] = "| " line " |"
}

# As code in a table, where a bar would end the cell.
function code(text) {
  gsub(/\|/, "\\|", text)
  return "`" text "`"
}

function row(name, number) { printf "| %s | %d |\n", name, number }

# The share of so many, with Wilson's interval.
function share(some, of,    p, z, middle, half) {
  if (!of) return "none"
  z = 1.959964
  p = some / of
  middle = (p + z * z / (2 * of)) / (1 + z * z / of)
  half = z / (1 + z * z / of) * sqrt(p * (1 - p) / of + z * z / (4 * of * of))
  return sprintf("%d of %d, **%.1f %%** (95 %%: %.1f to %.1f)", some, of, 100 * p, 100 * (middle - half), 100 * (middle + half))
}

function list(title, head, lines, n,    i) {
  if (!n) return
  printf "\n## %s\n\n%s\n", title, head
  for (i = 1; i <= n; i++) print lines[i]
}

END {
  units = total["caught by unit tests"]
  whole = total["caught by all tests"]
  noticed = units + whole + total["timeout"]
  print "# Mutants"
  print ""
  print "Made by `make mutants`: cargo-mutants changes one expression, operator or function at a time in what `.cargo/mutants.toml` lists, the"
  print "format, the log, recovery and the allocator; the engine's tests should notice. Runs add up in [`mutants.tsv`](mutants.tsv), by mutant and"
  print "revision, in a shuffled order, so what is tested is a sample of all. A mutant that makes a test hang counts as noticed; one that does not"
  print "compile counts for nothing. Only what the unit tests miss is shown to the tests of the whole engine."
  print ""
  print "| | mutants |"
  print "|---|---:|"
  row("all", all)
  row("tested", tested)
  row("caught by unit tests", units)
  row("caught by the tests of the whole engine", whole)
  row("made a test hang", total["timeout"])
  row("missed", total["missed"])
  row("missed, and equivalent", total["equivalent"])
  row("did not compile", total["unviable"])
  print ""
  printf "Noticed of those that can be: %s. With the equivalent ones: %s.\n", \
    share(noticed, noticed + total["missed"]), share(noticed, noticed + total["missed"] + total["equivalent"])
  printf "Revisions: %s.\n\n", revisions
  print "| file | tested | caught | hung | missed | equivalent | did not compile |"
  print "|---|---:|---:|---:|---:|---:|---:|"
  for (i = 1; i <= many; i++) {
    file = order[i]
    printf "| `%s` | %d | %d | %d | %d | %d | %d |\n", file, files[file], \
      count[file, "caught by unit tests"] + count[file, "caught by all tests"], count[file, "timeout"], \
      count[file, "missed"], count[file, "equivalent"], count[file, "unviable"]
  }
  list("What nothing noticed", "| where | mutant |\n|---|---|", missed, n_missed)
  list("What changes nothing that can be noticed", "| where | mutant | why |\n|---|---|---|", equal, n_equal)
  list("What made a test hang", "| where | mutant |\n|---|---|", hung, n_hung)
}
