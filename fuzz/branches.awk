# Draws a report from three files: reasons why some outcomes of branches are never taken, the summary that llvm-cov gives of
# each file, and the files as it shows them with their branches.
#
# A branch stands there once for every program and type that it was compiled for; it is taken where it is in one of them.
# Switches of planted bugs are the literal false in this build, so they are no branches, and neither is what they guard.

FNR == 1 { input++ }

# File, outcome, the line's code, and why.
input == 1 {
  split($0, field, "\t")
  reason[field[1], field[2], field[3]] = field[4]
  next
}

input == 2 {
  if ($1 ~ /\.rs$/) {
    functions[name_of($1)] = $5
    uncalled[name_of($1)] = $6
    lines[name_of($1)] = $8
    unseen[name_of($1)] = $9
  }
  next
}

/^\/.*:$/ {
  file = $0
  sub(/:$/, "", file)
  file = name_of(file)
}

/^ *[0-9]+\|/ {
  line = $0
  sub(/\|.*/, "", line)
  text = $0
  sub(/^ *[0-9]+\|[^|]*\|/, "", text)
  source[file, line + 0] = text
}

/\|  Branch \([0-9]+:[0-9]+\): \[/ && !/Folded/ {
  match($0, /\([0-9]+:[0-9]+\)/)
  place = substr($0, RSTART + 1, RLENGTH - 2)
  split(place, at, ":")
  key = file ":" place
  if (!(key in branch)) {
    branch[key] = file SUBSEP at[1]
    column[key] = at[2]
    in_file[key] = file
    order[++branches] = key
  }
  if ($0 !~ /True: 0[],]/) taken[key, "true"] = 1
  if ($0 !~ /False: 0[],]/) taken[key, "false"] = 1
}

# Below the folder of the engine's sources, however the path begins.
function name_of(path) {
  sub(/^.*engine\/src\//, "", path)
  # A summary leaves out what all files have in common, which are these folders' parent.
  return path
}

function percent(some, all) { return all ? sprintf("%.2f %%", 100 * some / all) : "" }

END {
  split("true false", outcomes, " ")
  for (i = 1; i <= branches; i++) {
    key = order[i]
    text = source[branch[key]]
    if (substr(text, 1, column[key] + 8) ~ /planted!/) continue
    name = in_file[key]
    if (!(name in all_of)) files[++many] = name
    for (o = 1; o <= 2; o++) {
      all++
      all_of[name]++
      if ((key, outcomes[o]) in taken) {
        some++
        some_of[name]++
        continue
      }
      sub(/^ */, "", text)
      why = reason[name, outcomes[o], text]
      if (why != "") explained++
      code = text
      gsub(/\|/, "\\|", code)
      never[++untaken] = sprintf("| `%s` | `%s` | %s | %s |", key, code, outcomes[o], why == "" ? "**unexplained**" : why)
    }
  }
  if (!all) {
    print "no branches were found" > "/dev/stderr"
    exit 1
  }
  by = what == "tests" ? "the engine's tests and the corpus of the fuzz targets take" : \
    what == "units" ? "the engine's unit tests alone take" : "the corpus of the fuzz targets alone takes"
  print "# Branches\n"
  printf "Made by `make coverage` at revision `%s`, by the compiler's own instrumentation. Of what decides whether a commit survives,\n", revision
  printf "the format, the log, recovery and the allocator, %s %d of %d outcomes of branches: **%s**.\n", by, some, all, percent(some, all)
  printf "%d are left, of which %d are explained below. An outcome is taken if it is in any program and for any type that the code is\n", untaken, explained
  print "compiled for. Tests and the switches of planted bugs count for nothing; a function that is never called has no branches."
  printf "Random tests that state no number of cases had %d each.\n\n", cases
  print "| file in `engine/src/` | functions | never called | lines | never run | outcomes | never taken | taken |"
  print "|---|---:|---:|---:|---:|---:|---:|---:|"
  for (i = 1; i <= many; i++) {
    name = files[i]
    printf "| `%s` | %s | %s | %s | %s | %d | %d | %s |\n", name, functions[name], uncalled[name], lines[name], unseen[name], \
      all_of[name], all_of[name] - some_of[name], percent(some_of[name], all_of[name])
  }
  if (untaken) {
    print "\n## What nothing takes\n\n| where | code | outcome | why |\n|---|---|---|---|"
    for (i = 1; i <= untaken; i++) print never[i]
  }
  if (100 * some < least * all) exit 1
}
