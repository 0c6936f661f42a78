import { runWorker } from '../../src/worker/run-worker.ts';
import { stubKafka } from './stub-kafka.ts';

/** The real worker; only its Kafka is simulated. Arguments: kubeconfig, address of the simulated cluster, file of the workflow code. */
const [kubeconfig = '', url = '', workflowBundle] = process.argv.slice(2);
await runWorker(process.env, { kubeconfig }, { connectKafka: stubKafka(url), workflowBundle });
