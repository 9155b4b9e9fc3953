#!/bin/sh
# Looks whether a deployment is whole: every function is there, opens with the keys of its roles, and the app is healthy.
# azd calls it after `azd deploy`; by hand: APP=... GROUP=... URL=... infra/postdeploy.sh
# A key that is there stays as it is, so calling it again only adds what is missing.
set -eu

: "${APP:?the name of the function app}" "${GROUP:?its resource group}" "${URL:?where it answers}"
PAUSE=${PAUSE:-15} TRIES=${TRIES:-20}
folder=$(dirname "$0")
umask 077
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Asks Azure about the app, and leaves the answer in a file; on some systems az ends lines as Windows does. azd says which
# subscription it has deployed to, which need not be the one that az is set to.
ask() {
  az functionapp "$@" --resource-group "$GROUP" --name "$APP" --output tsv \
    ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"} < /dev/null > "$scratch/raw" ||
    fail "az functionapp $1 $2 has failed, so the deployment is not checked to its end."
  tr -d '\r' < "$scratch/raw" > "$scratch/answer"
}

grep -v '^#' "$folder/functions.txt" | sort > "$scratch/functions"
cut -d ' ' -f 1 "$scratch/functions" > "$scratch/expected"
# The functions that a word stands behind, one a line.
marked() { awk -v mark="$1" '$2 == mark { print $1 }' "$scratch/functions"; }
marked timer > "$scratch/timers"

# Azure takes its time to learn which functions a new package has.
tried=0 without='?'
while :; do
  : > "$scratch/missing"
  ask function list --query '[].name'
  sed 's|.*/||' "$scratch/answer" | sort > "$scratch/found" # Azure says APP/FUNCTION
  cmp -s "$scratch/expected" "$scratch/found" && break
  comm -23 "$scratch/expected" "$scratch/found" > "$scratch/missing"
  comm -13 "$scratch/expected" "$scratch/found" > "$scratch/more"
  if ! [ -s "$scratch/more" ] && [ -z "$(comm -23 "$scratch/missing" "$scratch/timers")" ]; then
    # A job has a timer only where steward.toml gives it a schedule that is right; its health tells which.
    [ "$(cat "$scratch/missing")" != "$without" ] || break
    without=$(cat "$scratch/missing")
  else
    without='?'
  fi
  tried=$((tried + 1))
  if [ "$tried" -ge "$TRIES" ]; then
    say "The code has $(grep -c . "$scratch/expected") functions, and Azure shows $(grep -c . "$scratch/found" || true)."
    say "Missing: $(xargs < "$scratch/missing")"
    say "Not of this code: $(xargs < "$scratch/more")"
    fail "runbooks/a-job-is-missing-after-deployment.md says what to do."
  fi
  sleep "$PAUSE"
done
say "$APP has $(grep -c . "$scratch/found") of $(grep -c . "$scratch/expected") functions."

ask show --query id
site=$(cat "$scratch/answer")

# Sets `value` to the value of a key of a function; to nothing where there is none.
look_up() {
  ask function keys list --function-name "$1" --query "$2"
  value=$(sed 's/^None$//' "$scratch/answer")
  case $value in
    *[!A-Za-z0-9_=+/-]*) fail "The key '$2' of $1 has characters that no key should have; set it again." ;;
  esac
}

# Gives functions, one a line on stdin, the value that the key has at one of them already, or a new one. A value never
# stands in the arguments of a command, where anybody on this machine could read it.
give() {
  look_up "$2" "$1"
  given=${value:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}
  while read -r function; do
    look_up "$function" "$1"
    [ "$value" != "$given" ] || continue
    [ -z "$value" ] || fail "$function and $2 have different keys '$1': runbooks/rotate-keys.md gives them the same."
    printf '{"properties":{"name":"%s","value":"%s"}}' "$1" "$given" > "$scratch/body"
    az rest --method put --url "$site/functions/$function/keys/$1?api-version=2025-03-01" --body "@$scratch/body" \
      --output none < /dev/null || fail "$function has not got the key '$1'."
    say "$function has got the key '$1'."
  done
}

{ marked reader; marked operator; } > "$scratch/operators"
marked reader > "$scratch/readers"
marked approver > "$scratch/approvers"
give operator start_run < "$scratch/operators"
give approver apply_plan < "$scratch/approvers"
give reader health < "$scratch/readers"
printf 'header = "x-functions-key: %s"\n' "$given" > "$scratch/curl"

# A new key takes a moment, and so does an app that has to start.
tried=0
while :; do
  status=$(curl --silent --show-error --config "$scratch/curl" --max-time 60 --output "$scratch/health" \
    --write-out '%{http_code}' "$URL/api/health") || status=000
  [ "$status" != 200 ] || break
  if [ "$status" = 503 ] && grep -q '"problems"' "$scratch/health"; then
    say "$(cat "$scratch/health")"
    fail "The configuration has problems: runbooks/a-job-is-refused.md says what to do."
  fi
  tried=$((tried + 1))
  [ "$tried" -lt "$TRIES" ] ||
    fail "$URL/api/health answers $status: runbooks/a-job-is-missing-after-deployment.md says what to do."
  sleep "$PAUSE"
done
! [ -s "$scratch/missing" ] || say "Without a schedule in steward.toml: $(xargs < "$scratch/missing")"
say "$APP is healthy."
