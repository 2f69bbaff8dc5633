#!/bin/sh
# Install a hashed requirements file into /opt/kiosque, with the command `kiosque` beside it.
set -eu
python -m pip --python /opt/kiosque/bin/python install --require-hashes -r "$1"
# Tests that wheels carry along are not run here.
find /opt/kiosque/lib -depth -type d \( -name tests -o -name test \) -path '*/numpy/*' -exec rm -rf {} +
printf '#!/opt/kiosque/bin/python\nfrom kiosque.cli import main\n\nmain()\n' > /opt/kiosque/bin/kiosque
chmod 755 /opt/kiosque/bin/kiosque
