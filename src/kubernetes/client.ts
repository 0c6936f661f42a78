/**
 * The parts of the official client that are used, in one place: the build packs just these, for the client's generated code would be
 * most of what a worker holds in memory.
 */
export { HttpMethod, KubeConfig, PortForward, RequestContext, Watch } from '@kubernetes/client-node';
