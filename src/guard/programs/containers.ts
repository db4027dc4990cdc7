/** Containers: what runs inside is not on this machine, but what is mounted or given away is. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import { takeApart } from './options.ts';
import {
  byName,
  connects,
  controls,
  type Program,
  type Row,
  RUNS_PROJECT,
  readRow,
  reads,
  unknown,
  WRITES_HERE,
  writes,
} from './program.ts';

const SOCKET = /(?:docker|podman|containerd|crio?)\.sock$/;

/** `-v source:target[:ro]`: a source without a slash or a dot is a volume of its own. */
function volume(word: Word): readonly Effect[] {
  const [, quoted, text] = /^("?)([^:]*):/.exec(word.source) ?? [];
  if (word.value === undefined) {
    if (text === undefined) return [unknown(`mounts ${word.source}, which cannot be known`)];
    const source: Word = { source: `${quoted}${text}${quoted}`, value: undefined, expands: word.source.startsWith('~') };
    return [mount(source, /:ro"?$/.test(word.source))];
  }
  const [source = '', ...others] = word.value.split(':');
  if (others.length === 0 || !/^[./~]/.test(source)) return [];
  return [mount(knownWord(source), others.at(-1)?.split(',').includes('ro') === true)];
}

function mount(source: Word, readOnly: boolean): Effect {
  if (SOCKET.test(source.value ?? '')) return controls('hands over the machine');
  return readOnly ? reads(source) : writes(source);
}

/** `--mount type=bind,source=…,target=…[,readonly]` */
function mountOption({ value, source }: Word): readonly Effect[] {
  if (value === undefined) return [unknown(`mounts ${source}, which cannot be known`)];
  const fields = new Map(
    value.split(',').map((field) => [field.split('=', 1)[0] ?? '', field.slice(field.indexOf('=') + 1)] as const),
  );
  const path = fields.get('source') ?? fields.get('src');
  if (fields.get('type') !== 'bind' || path === undefined) return [];
  return [mount(knownWord(path), fields.has('readonly') || fields.has('ro'))];
}

/** Options that take the walls down. */
function opened(taken: Arguments): readonly Effect[] {
  const effects: Effect[] = [];
  if (taken.has('--privileged', '--device', '--cap-add', '--volumes-from', '--device-cgroup-rule', '--cgroup-parent', '--rootfs'))
    effects.push(controls('gives a container rights over the machine'));
  for (const { value } of taken.values('--pid', '--ipc', '--uts', '--userns', '--cgroupns', '--security-opt')) {
    if (value === undefined || /^host$|unconfined|disable|^container:|systempaths/.test(value))
      effects.push(controls('gives a container rights over the machine'));
  }
  effects.push(...taken.values('-v', '--volume').flatMap(volume), ...taken.values('--mount').flatMap(mountOption));
  return effects;
}

const RUN: Grammar = {
  values: {
    special:
      '-v --volume --mount --pid --ipc --uts --userns --cgroupns --security-opt --device --cap-add --volumes-from --device-cgroup-rule --cgroup-parent',
    reads: '--env-file --label-file --seccomp-profile',
    writes: '--cidfile --pidfile --conmon-pidfile',
    program: '--runtime --conmon',
    'runs file': '--hooks-dir',
    text: '-e --env -p --publish -w --workdir --name -u --user -h --hostname --entrypoint --network --net -l --label -m --memory --memory-swap --cpus -c --cpu-shares --cpuset-cpus --restart --platform --pull --rm? --shm-size --tmpfs --ulimit --add-host --dns --gpus --group-add --health-cmd --health-interval --ip --link --log-driver --log-opt --mac-address --network-alias --pids-limit --stop-signal --stop-timeout --sysctl -a --attach --expose --cap-drop --annotation --isolation --init-path --volume-driver --domainname --detach-keys --arch --os --systemd --tz',
  },
  flags: '--privileged --rootfs --init --interactive --tty --detach --publish-all --read-only',
  optionsFirst: true,
  exact: true,
  careful: true,
};

const BUILD: Grammar = {
  values: {
    special: '-f --file -o --output',
    writes: '--iidfile --metadata-file',
    'runs file': '--hooks-dir --runtime',
    reads: '--env-file',
    text: '-t --tag --build-arg --target --platform --cache-from --cache-to --label --network --pull? --progress --ssh --secret --add-host --builder --build-context -v --volume --format --isolation --shm-size --ulimit -m --memory',
  },
  exact: true,
  careful: true,
};

/** Files that come from a container, or go there. */
const copied = (word: Word, index: number): readonly Effect[] =>
  /^[^/.][^/]*:/.test(word.value ?? '') || word.value === '-' ? [] : [index === 0 ? reads(word) : writes(word)];

const SHOWN =
  'ps images image ls logs inspect version info stats top port history search context system events diff container volume network builder help wait manifest plugin buildx scout';
const CHANGING = 'rm rmi stop start restart kill pause unpause rename tag update prune pull push login logout attach';

/** Below `docker image`, `docker container` and the like. */
const SHOWS_BELOW = /^(?:ls|list|ps|inspect|logs|show|df|info|events|history|top|stats|port|diff|version|du|)$/;

const DOCKER: readonly Row[] = [
  { names: 'run create', grammar: RUN, read: (_args, taken) => [...opened(taken), connects()] },
  { names: 'exec', grammar: RUN, read: (_args, taken) => [...opened(taken), connects()] },
  {
    names: 'build bud',
    grammar: BUILD,
    read: (_args, taken) => [
      ...taken
        .values('-f', '--file')
        .filter(({ value }) => value !== '-')
        .map(reads),
      ...taken
        .values('-o', '--output')
        .map((word) => writes({ ...word, value: word.value?.replace(/^.*dest=|^type=\w+,?/, '') || '.' })),
      ...taken.operands.filter(({ value }) => value !== '-' && !/^\w+:\/\//.test(value ?? '')).map(reads),
      connects(),
    ],
  },
  { names: 'cp', read: (_args, { operands }) => [...operands.flatMap(copied), connects()] },
  {
    names: 'save export',
    grammar: { values: { writes: '-o --output', text: '--format --platform' }, careful: true },
    read: () => [],
  },
  {
    names: 'load import',
    grammar: { values: { reads: '-i --input', text: '-c --change -m --message' } },
    read: () => [connects()],
  },
  { names: CHANGING, read: () => [connects()] },
  {
    names: SHOWN,
    read: (args) => {
      const words = args.filter(({ value }) => !value?.startsWith('-'));
      const [below] = words;
      return [...(below && !SHOWS_BELOW.test(below.value ?? '?') ? [] : [])];
    },
  },
];

const MANAGES = /^(?:image|container|volume|network|system|builder|manifest|plugin|context|buildx|scout)$/;
const ROWS = byName(DOCKER);

const GLOBAL: Grammar = {
  values: {
    unknown: '-H --host --url --connection',
    special: '-c --context',
    'runs file': '--config --hooks-dir --runtime --conmon --module',
    reads: '--tlscacert --tlscert --tlskey --identity',
    text: '-l --log-level --namespace -n --root --runroot --storage-driver --storage-opt',
  },
  optionsFirst: true,
  exact: true,
  careful: true,
};

const COMPOSE: Grammar = {
  values: {
    reads: '-f --file --env-file',
    'works in': '--project-directory',
    text: '-p --project-name --profile --ansi --progress --parallel',
  },
  optionsFirst: true,
  exact: true,
  careful: true,
};

const COMPOSE_SHOWS =
  /^(?:ps|logs|config|ls|images|top|version|events|port|down|stop|rm|kill|pause|unpause|pull|push|restart|start|stats|volumes|build|wait|help)$/;

function readCompose(args: readonly Word[]): readonly Effect[] {
  const taken = takeApart(args, COMPOSE);
  const effects = readRow({ grammar: COMPOSE }, args, { piped: false });
  const [command] = taken.operands;
  if (!command) return effects;
  if (COMPOSE_SHOWS.test(command.value ?? ''))
    return /^(?:ps|logs|config|ls|images|top|version|events|port|stats|volumes|help)$/.test(command.value ?? '')
      ? effects
      : [...effects, connects()];
  return [...effects, unknown('runs containers that its file describes, with what they mount')];
}

function readDocker(args: readonly Word[]): readonly Effect[] {
  const taken = takeApart(args, GLOBAL);
  const effects = [...readRow({ grammar: GLOBAL }, args, { piped: false })];
  const [command, ...rest] = taken.operands;
  if (!command) return effects;
  if (command.value === undefined) return [...effects, unknown('gets a subcommand that is computed')];
  if (command.value === 'compose') return [...effects, ...readCompose(rest)];
  if (command.value === 'unshare') return [...effects, controls('runs a program in another world')];
  if (MANAGES.test(command.value)) {
    const [below, ...others] = rest;
    if (!below || SHOWS_BELOW.test(below.value ?? '?')) return effects;
    const row = ROWS.get(below.value ?? '?');
    if (row) return [...effects, ...readRow(row, others, { piped: false })];
    const plain =
      /^(?:create|connect|disconnect|rm|prune|use|annotate|add|push|bake|imagetools|stop)$/.test(below.value ?? '') &&
      !/^(?:plugin|context)$/.test(command.value);
    return [...effects, plain ? connects() : unknown(`has a subcommand ${below.source} that is not followed`)];
  }
  const row = ROWS.get(command.value);
  return [
    ...effects,
    ...(row ? readRow(row, rest, { piped: false }) : [unknown(`has a subcommand ${command.value} that is not followed`)]),
  ];
}

const KUBE_SHOWS =
  /^(?:get|describe|logs|version|explain|api-resources|api-versions|top|cluster-info|diff|events|wait|auth|options|completion|help)$/;
const KUBE_CHANGES =
  /^(?:apply|create|delete|replace|patch|scale|autoscale|rollout|expose|run|set|label|annotate|cordon|uncordon|drain|taint|exec|attach|port-forward|proxy|debug|certificate|kustomize)$/;

const KUBE: Grammar = {
  values: {
    'runs file': '--kubeconfig',
    reads: '-f --filename -k --kustomize --from-file --from-env-file',
    connects: '-s --server',
    text: '-n --namespace -l --selector -o --output --context --cluster --user -c --container --field-selector --sort-by --tail --since --as --token --image --replicas --type -p --patch --timeout',
    unknown: '--exec-command',
  },
  exact: true,
  careful: true,
};

export const CONTAINERS: readonly Program[] = [
  {
    names: 'docker podman nerdctl',
    class: 'runs',
    about: 'runs containers: what they mount, and rights given to them, are found',
    read: (args) => readDocker(args),
  },
  {
    names: 'docker-compose podman-compose',
    class: 'runs',
    about: 'runs containers that a file describes',
    read: (args) => readCompose(args),
  },
  {
    names: 'buildah lxc lxd incus ctr crictl runc crun minikube kind k3d vagrant-box multipass colima limactl skopeo',
    class: 'runs',
    about: 'runs containers or machines',
    read: (args) =>
      args.length === 1 && /^(?:--version|version|list|ls|ps|images|status|help)$/.test(args[0]?.value ?? '')
        ? []
        : [unknown('runs containers, which can hold anything')],
  },
  {
    names: 'kubectl oc',
    class: 'reads',
    about: 'acts on a cluster',
    grammar: KUBE,
    read: (_args, { operands: [command, second] }) => {
      const name = command?.value ?? '';
      if (!command || KUBE_SHOWS.test(name)) return [connects()];
      if (name === 'config')
        return /^(?:view|get-\w+|current-context)$/.test(second?.value ?? '')
          ? []
          : [unknown('changes its settings, which can name programs')];
      if (name === 'cp') return [connects(), WRITES_HERE];
      if (name === 'edit') return [connects(), unknown('runs an editor')];
      return KUBE_CHANGES.test(name)
        ? [connects()]
        : [connects(), unknown(`has no subcommand ${command.source}: it may be a plug-in`)];
    },
  },
  {
    names: 'helm kustomize k9s stern kubectx kubens argocd flux istioctl',
    class: 'reads',
    about: 'acts on a cluster',
    grammar: {
      values: { 'runs file': '--kubeconfig --post-renderer', reads: '-f --values', text: '-n --namespace --set --version' },
      exact: true,
      careful: true,
    },
    read: (_args, { operands: [command] }) => [
      connects(),
      ...(/^(?:list|ls|status|get|show|search|template|lint|version|history|env|diff|build|)$/.test(command?.value ?? '')
        ? []
        : [RUNS_PROJECT]),
    ],
  },
];
