// Which pages something answers in this process: the platform writes that into the page, so that nothing is asked first.
const told = document.querySelector<HTMLMetaElement>("meta[name=ieum-pages]")?.content;
const pages = told?.split(" ");

/** Tells whether something answers the listed page at `path`. Where the page was not told, as under `vite`, all do. */
export function isAnswered(path: string): boolean {
  return pages?.includes(path) ?? true;
}

/** The page to open first. */
export const FIRST_PAGE = pages?.[0] ?? "/";
