// The key with which the console asks from another machine; kept for this tab only.
const NAME = "ieum.key";

let key: string | null = read();
const listeners = new Set<() => void>();

function read(): string | null {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    // A browser that keeps nothing still shows everything for which no key is needed.
    return null;
  }
}

export function currentKey(): string | null {
  return key;
}

export function setKey(next: string | null) {
  key = next;
  try {
    if (next) sessionStorage.setItem(NAME, next);
    else sessionStorage.removeItem(NAME);
  } catch {
    // It then lasts as long as the page.
  }
  listeners.forEach((listener) => listener());
}

export function onKey(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
