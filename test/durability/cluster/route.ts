/** What a request to an API server is about. */
export interface Route {
  /** `v1` or `apps/v1`. */
  apiVersion: string;
  resource: string;
  namespace?: string;
  name?: string;
  /** What comes behind the name, as in `proxy/report`. */
  rest?: string;
}

const form =
  /^\/(?:api|apis\/(?<group>[^/]+))\/(?<version>v[^/]+)(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+)(?:\/(?<rest>.*))?)?$/;

/** Undefined where it is no path of the API. */
export function routeOf(path: string): Route | undefined {
  const { group, version, namespace, resource, name, rest } = form.exec(path)?.groups ?? {};
  if (!version || !resource) return undefined;
  const apiVersion = group ? `${group}/${version}` : version;
  return { apiVersion, resource, namespace, name: name && decodeURIComponent(name), rest };
}

/** Whether labels meet a selector of equalities (`a=b,c=d`). */
export function meets(selector: string | null, labels: Record<string, string> = {}): boolean {
  if (!selector) return true;
  return selector.split(',').every((part) => {
    const [key = '', value] = part.split(/==?/);
    return value === undefined ? key in labels : labels[key] === value;
  });
}
