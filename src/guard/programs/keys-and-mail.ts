/** Programs that sign, encrypt and send. */
import { fileIn } from './downloads.ts';
import { connects, type Program, reads, runsCode, runsFile, unknown } from './program.ts';

const SAFE_PROVIDERS = /^(?:default|legacy|base|fips|null)$/;

export const KEYS_AND_MAIL: readonly Program[] = [
  {
    names: 'openssl',
    class: 'reads',
    about: 'works with keys, files and connections',
    grammar: {
      oneDash: true,
      values: {
        writes: '-out -keyout -writerand -sess_out -keylogfile -msgfile -outdir -CRLfile -certsout -caout',
        reads:
          '-in -inkey -key -cert -certfile -CAfile -CApath -CA -CAkey -CAserial -chainCAfile -signkey -extfile -rand -kfile -data -sigfile -signature -dcert -dkey -untrusted -verify -prverify -cert_chain',
        connects: '-connect -proxy -host',
        unknown: '-engine -provider-path',
        'runs file': '-config -configfile',
        special: '-provider -passin -passout -pass -k -K',
        text: '-subj -days -newkey -name -keyform -inform -outform -noout? -text? -nodes? -servername -iv -S -md -iter -port -starttls -alpn -cipher -ciphersuites -min -bits -pkeyopt -algorithm -addext -set_serial -serial? -purpose -hash? -fingerprint? -dates? -sha256? -e -d? -base64? -a? -salt? -pbkdf2? -hex? -sign -macopt -mac -hmac',
      },
      careful: true,
    },
    read: (_args, taken, { piped }) => [
      ...taken
        .values('-provider')
        .flatMap(({ value }) => (SAFE_PROVIDERS.test(value ?? '') ? [] : [unknown('loads a provider that is not known')])),
      ...taken.values('-passin', '-passout', '-pass').flatMap((word) => fileIn(word, /^file:/)),
      ...(taken.operands.some(({ value }) => value === 'engine' || value === 'ca' || value === 's_server') &&
      taken.operands.length > 1
        ? [unknown('runs a command that is not followed')]
        : []),
      ...(taken.operands.length === 0 && piped ? [runsCode('openssl', 'from its input')] : []),
      ...(taken.operands[0]?.value === 'rand' ? [] : taken.operands.slice(1).map(reads)),
    ],
  },
  {
    names: 'mail mailx sendmail msmtp mutt neomutt swaks s-nail',
    class: 'writes',
    about: 'sends mail; its commands can run programs',
    grammar: { values: { reads: '-a -q', code: '-e -S', 'runs file': '-F -C -f', text: '-s -c -b -r' } },
    read: (_args, taken) => [connects(), ...(taken.has('-~') ? [unknown('reads commands that can run programs')] : [])],
  },
  {
    names: 'gpg gpg2 gpgv gpgsm',
    class: 'writes',
    about: 'signs and encrypts',
    grammar: {
      values: {
        writes: '-o --output --log-file --attribute-file',
        reads: '--homedir --keyring --secret-keyring --passphrase-file --trustdb-name',
        script: '--photo-viewer',
        program: '--agent-program --dirmngr-program --keyboxd-program --gpg-program',
        'runs file': '--options --load-extension',
        unknown: '--exec-path',
        connects: '--keyserver --recv-keys',
        text: '-r --recipient -u --local-user --default-key --passphrase --pinentry-mode --batch? --status-fd --command-fd -z --cipher-algo --digest-algo --trust-model',
      },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'age rage sops pass',
    class: 'writes',
    about: 'encrypts',
    grammar: {
      values: { writes: '-o --output', reads: '-i --identity -R --recipients-file', text: '-r --recipient' },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'xdg-open open start gio see run-mailcap sensible-browser www-browser',
    class: 'runs',
    about: 'runs the program for a file',
    read: (args) => args.slice(-1).flatMap((word) => [...runsFile(word), unknown('runs a program that settings name')]),
  },
];
