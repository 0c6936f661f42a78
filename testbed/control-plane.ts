import { mkdirSync, writeFileSync } from 'node:fs';
import { keyPair, kubeconfig, makeCertificates } from './certificates.ts';
import { network, state } from './paths.ts';
import { isRunning, mustRun, start } from './process.ts';
import { succeeds, until } from './run.ts';

const etcdClient = '127.0.0.1:23790';
const etcdPeer = '127.0.0.1:23800';

/** Starts what is not running of etcd, API server, controller manager, scheduler, volumes and DNS; ends when the API is ready. */
export async function startControlPlane(binary: string): Promise<void> {
  await makeCertificates();
  const admin = kubeconfig('admin');
  startEtcd(binary);
  startApiServer(binary);
  await until('the API server is ready', 60, () => {
    for (const name of ['etcd', 'kube-apiserver']) mustRun(name);
    return succeeds('curl', ['-sfk', `${network.apiServer}/readyz`]);
  });
  startOnce('kube-controller-manager', binary, [
    `--kubeconfig=${kubeconfig('kube-controller-manager')}`,
    `--service-account-private-key-file=${state('pki', 'service-accounts.key')}`,
    `--root-ca-file=${state('pki', 'ca.crt')}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--secure-port=10258',
  ]);
  startOnce('kube-scheduler', binary, [
    `--kubeconfig=${kubeconfig('kube-scheduler')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--secure-port=10260',
  ]);
  mkdirSync(state('volumes'), { recursive: true });
  startOnce('volumes', binary, [`--kubeconfig=${admin}`, `--root=${state('volumes')}`]);
  startDns(binary, admin);
}

function startEtcd(binary: string): void {
  startOnce('etcd', binary, [
    `--data-dir=${state('etcd')}`,
    `--listen-client-urls=http://${etcdClient}`,
    `--advertise-client-urls=http://${etcdClient}`,
    `--listen-peer-urls=http://${etcdPeer}`,
    `--initial-advertise-peer-urls=http://${etcdPeer}`,
    `--initial-cluster=default=http://${etcdPeer}`,
    // A testbed may lose its last seconds in a power cut.
    '--unsafe-no-fsync=true',
    '--log-level=warn',
  ]);
}

function startApiServer(binary: string): void {
  const serving = keyPair('apiserver');
  const toKubelet = keyPair('apiserver-kubelet');
  writeFileSync(state('audit-policy.json'), JSON.stringify(auditPolicy));
  startOnce('kube-apiserver', binary, [
    `--etcd-servers=http://${etcdClient}`,
    `--bind-address=${network.host}`,
    `--advertise-address=${network.host}`,
    '--secure-port=6443',
    `--service-cluster-ip-range=${network.services}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--client-ca-file=${state('pki', 'ca.crt')}`,
    `--tls-cert-file=${serving.certificate}`,
    `--tls-private-key-file=${serving.key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${state('pki', 'service-accounts.pub')}`,
    `--service-account-signing-key-file=${state('pki', 'service-accounts.key')}`,
    `--kubelet-client-certificate=${toKubelet.certificate}`,
    `--kubelet-client-key=${toKubelet.key}`,
    // Node names do not resolve on the host.
    '--kubelet-preferred-address-types=InternalIP',
    // Service addresses exist only inside the nodes: webhooks are dialled by endpoint.
    '--enable-aggregator-routing=true',
    `--audit-policy-file=${state('audit-policy.json')}`,
    `--audit-log-path=${state('logs', 'audit.log')}`,
    '--audit-log-maxsize=200',
    '--audit-log-maxbackup=1',
  ]);
}

/** Every write and every request of a person or a test, so that a test can count and time what really arrived. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', users: ['system:apiserver', 'system:kube-scheduler', 'system:kube-controller-manager'] },
    { level: 'None', userGroups: ['system:nodes'] },
    {
      level: 'None',
      userGroups: ['system:serviceaccounts:kube-system', 'system:serviceaccounts:kudo-system'],
    },
    { level: 'Metadata' },
  ],
};

function startDns(binary: string, config: string): void {
  // Only on the testbed's own address: the host may have a resolver, and is none for others.
  // Names that are not the cluster's do not exist; without saying so every miss would look like a failing resolver.
  const corefile = `.:53 {
    bind ${network.host}
    errors
    ready ${network.host}:8181
    kubernetes ${network.clusterDomain} in-addr.arpa {
      kubeconfig ${config}
      pods verified
      ttl 5
    }
    template ANY ANY {
      rcode NXDOMAIN
    }
    cache 5
}
`;
  writeFileSync(state('Corefile'), corefile);
  startOnce('coredns', binary, ['-conf', state('Corefile')]);
}

function startOnce(name: string, binary: string, args: string[]): void {
  if (!isRunning(name)) start(name, binary, [name, ...args]);
}
