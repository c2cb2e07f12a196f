# awk -f rules.awk layers.txt FILE...: checks every #include and a few house rules; prints one line per breach and ends
# with "house: N files". Exit status 1 if there was a breach.

function breach(line, text) {
  printf "%s:%d: %s\n", name, line, text
  breaches++
}

# The value in `table` whose key is the longest beginning of `path`; "" if none.
function longest(table, path,    key, best, found) {
  best = -1
  found = ""
  for (key in table) {
    if (length(key) > best && index(path, key) == 1) {
      best = length(key)
      found = table[key]
    }
  }
  return found
}

function layer_of(path,    header) {
  if (path ~ /^include\/dormouse\/detail\/impl\/.*\.ipp$/) {
    header = path
    sub(/detail\/impl\//, "", header)
    sub(/\.ipp$/, ".hpp", header)
    # Only if such a header was given: other bodies belong to a detail header and obey the rule for bodies.
    if (header in given) return longest(layers, header)
  }
  return longest(layers, path)
}

function check_ours(target,    from, to) {
  to = longest(layers, target)
  from = layer_of(name)
  if (to == "") return breach(FNR, "`" target "` belongs to no layer: add it to tests/house/layers.txt")
  if (from == to || (from, to) in allowed) return
  # Each header pulls in its own body at its end.
  if (to == "bodies" && name ~ /^include\//) return
  breach(FNR, "layer " from " must not include layer " to " (" target ")")
}

function check_outside(header,    list, count, words, i) {
  if (header !~ /[.\/]/) return  # the standard library
  if (header ~ /^catch2\// && name ~ /^tests\// && name !~ /^tests\/support\//)
    return breach(FNR, "only tests/support/catch.hpp includes Catch2")
  list = longest(outside, name)
  count = split(list, words, " ")
  for (i = 1; i <= count; i++) {
    if (words[i] == "*" || words[i] == header) return
    if (words[i] ~ /\/$/ && index(header, words[i]) == 1) return
  }
  breach(FNR, "<" header "> must not be included here; allowed: " (list == "" ? "the standard library" : list))
}

# What does `start` reach through detail headers only? Bodies are not followed: they come after their header.
function check_reach(start,    queue, head, tail, seen, file, targets, count, i, to) {
  queue[tail++] = start
  seen[start] = 1
  while (head < tail) {
    file = queue[head++]
    count = split(edges[file], targets, " ")
    for (i = 1; i <= count; i++) {
      if (targets[i] in seen) continue
      seen[targets[i]] = 1
      to = longest(layers, targets[i])
      if (to == "detail") queue[tail++] = targets[i]
      else if (file != start && to != "bodies" && to != layer_of(start) && !((layer_of(start), to) in allowed)) {
        name = start
        breach(1, "layer " layer_of(start) " reaches layer " to " (" targets[i] ") through " file)
      }
    }
  }
}

function finish_file(    limit) {
  if (name == "") return
  limit = longest(line_limits, name)
  if (limit != "" && lines > limit + 0) breach(lines, lines " lines; the limit here is " limit)
  if (name ~ /^include\/.*pp$/ && !has_pragma) breach(1, "no `#pragma once`")
}

BEGIN {
  for (i = 2; i < ARGC; i++) given[ARGV[i]] = 1
}

FILENAME == ARGV[1] {
  if ($1 == "layer") for (i = 3; i <= NF; i++) layers[$i] = $2
  if ($1 == "allow") for (i = 3; i <= NF; i++) allowed[$2, $i] = 1
  if ($1 == "outside") {
    path = $2
    sub(/^outside[ ]+[^ ]+[ ]+/, "")
    outside[path] = $0
  }
  if ($1 == "lines") line_limits[$2] = $3
  next
}

FNR == 1 {
  finish_file()
  name = FILENAME
  has_pragma = 0
  files++
  if (layer_of(name) == "") breach(1, "belongs to no layer: add it to tests/house/layers.txt")
  if (name ~ /^(include|src)\// && $0 != "// SPDX-License-Identifier: MIT")
    breach(1, "the first line must be `// SPDX-License-Identifier: MIT`")
}

{ lines = FNR }

length($0) > 120 { breach(FNR, "longer than 120 columns") }

/^#pragma once$/ { has_pragma = 1 }

/^[ \t]*#[ \t]*include/ {
  if (match($0, /<[^>]*>/)) {
    header = substr($0, RSTART + 1, RLENGTH - 2)
    if (header ~ /^dormouse\//) {
      edges[name] = edges[name] " include/" header
      check_ours("include/" header)
    }
    else check_outside(header)
  } else if (match($0, /"[^"]*"/)) {
    header = substr($0, RSTART + 1, RLENGTH - 2)
    if (name ~ /^include\//) breach(FNR, "\"" header "\": our headers are included as <dormouse/...>")
    else if (header ~ /dormouse\//) breach(FNR, "\"" header "\": the library is included as <dormouse/...>")
    else if (name ~ /^examples\// && header ~ /\.\./) breach(FNR, "\"" header "\": an example stands alone")
  } else {
    breach(FNR, "an include that is neither <> nor \"\"")
  }
}

# A test that sleeps is slow when it passes and flaky when it fails: wait for the effect with eventually().
name ~ /^tests\// && /sleep_for|sleep_until|usleep/ { breach(FNR, "tests do not sleep; see eventually()") }

END {
  finish_file()
  for (i = 2; i < ARGC; i++)
    if (ARGV[i] ~ /^include\// && layer_of(ARGV[i]) !~ /^(detail|bodies)$/) check_reach(ARGV[i])
  print "house: " files + 0 " files"
  exit breaches > 0 || files == 0
}
