# Reads what llvm-cov shows of files with their branches. Prints each outcome of a branch that was never taken, with its
# place and its line, and the percent that was.
#
# A branch stands there once for every program and type that it was compiled for; it is taken where it is in one of them.
# Switches of planted bugs are the literal false in this build, so they are no branches, and neither is what they guard.

/^\/.*:$/ {
  file = $0
  sub(/:$/, "", file)
  sub(/^.*\/engine\/src\//, "engine/src/", file)
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
    order[++branches] = key
  }
  if ($0 !~ /True: 0[],]/) taken[key, "true"] = 1
  if ($0 !~ /False: 0[],]/) taken[key, "false"] = 1
}

END {
  split("true false", outcomes, " ")
  for (i = 1; i <= branches; i++) {
    key = order[i]
    text = source[branch[key]]
    if (substr(text, 1, column[key] + 8) ~ /planted!/) continue
    for (o = 1; o <= 2; o++) {
      all++
      if ((key, outcomes[o]) in taken) some++
      else {
        sub(/^ */, "", text)
        printf "never %-5s  %s  %s\n", outcomes[o], key, text
      }
    }
  }
  if (!all) {
    print "no branches were found"
    exit 1
  }
  printf "%d of %d outcomes of branches were taken: %.2f %%\n", some, all, 100 * some / all
  if (100 * some < least * all) exit 1
}
