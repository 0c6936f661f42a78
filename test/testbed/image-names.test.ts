import { expect, it } from 'vitest';
import { localName } from '../../testbed/images/buildah.ts';

// The paths that containerd asks a mirror for.
it.each([
  ['busybox', 'library/busybox:latest'],
  ['busybox:1.36.1', 'library/busybox:1.36.1'],
  ['docker.io/library/busybox:latest', 'library/busybox:latest'],
  ['docker.io/busybox', 'library/busybox:latest'],
  ['kudobuilder/controller:v0.19.0', 'kudobuilder/controller:v0.19.0'],
  ['docker.io/kudobuilder/controller:v0.19.0', 'kudobuilder/controller:v0.19.0'],
  ['registry.k8s.io/pause:3.10', 'pause:3.10'],
  ['quay.io/prometheus/node-exporter:v1.5.0', 'prometheus/node-exporter:v1.5.0'],
  ['localhost:5000/leaderfall', 'leaderfall:latest'],
])('the registry keeps %s as %s', (image, name) => {
  expect(localName(image)).toBe(name);
});
