#!/bin/sh
# siwe 4.4.0, the Python library for Sign-In with Ethereum, takes any abnf from 2.2 to below 3. What pip picks today
# (2.9.1) makes `import siwe` itself raise GrammarError: siwe's grammars define ALPHA and DIGIT, and since 2.9 abnf keeps
# such core rules for itself. A lock that pins only siwe breaks without a change of siwe. abnf 2.7.0 lets it through,
# and 2.8.3 still does, with a warning.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"

import_with() {
    "$folder/venv/bin/pip" install --quiet siwe==4.4.0 "abnf==$1"
    "$folder/venv/bin/python" -W ignore -c 'import siwe; print("imported")' 2>&1 | tail -1 | cut -c1-90
}

old=$(import_with 2.7.0)
new=$(import_with 2.9.1)
echo "siwe 4.4.0 with abnf 2.7.0: $old"
echo "siwe 4.4.0 with abnf 2.9.1: $new"
case "$old/$new" in
"imported/"*"GrammarError: 'ALPHA' is a core rule"*) echo "as described" ;;
*) echo "this has changed" && exit 1 ;;
esac
