import type { NetworkProxy, ProxyOptions } from './network-proxy.ts';

export interface ProxyPool extends AsyncDisposable {
  /**
   * The proxy for these hosts, started when it is first asked for; commands with the same list share one.
   * @throws Failure `invalid_config` for what is no host
   */
  get(hosts: readonly string[]): Promise<NetworkProxy>;
}

export function createProxyPool(options: ProxyOptions = {}): ProxyPool {
  const started = new Map<string, Promise<NetworkProxy>>();
  return {
    async get(hosts) {
      const key = [...new Set(hosts)].sort().join('\n');
      const known = started.get(key);
      if (known) return known;
      const proxy = import('./network-proxy.ts').then(({ startNetworkProxy }) => startNetworkProxy(hosts, options));
      started.set(key, proxy);
      proxy.catch(() => started.delete(key));
      return proxy;
    },
    async [Symbol.asyncDispose]() {
      const proxies = [...started.values()];
      started.clear();
      for (const proxy of await Promise.allSettled(proxies))
        if (proxy.status === 'fulfilled') await proxy.value[Symbol.asyncDispose]();
    },
  };
}
