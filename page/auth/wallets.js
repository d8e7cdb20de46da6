// Wallets of this browser: found by EIP-6963, spoken to by EIP-1193.

import { hexOfText } from "../client/siwe.js";

const ICON = /^data:image\/(png|svg\+xml|jpeg|webp|gif)[;,]/;
const WAIT_MS = 250;
const REJECTED = 4001;
const UNKNOWN_CHAIN = 4902;

/** What went wrong with a wallet; `kind` names the sentence: rejected, chain, none, failed. */
export class WalletError extends Error {
  constructor(kind, detail = "") {
    super(detail || kind);
    this.kind = kind;
  }
}

/** Find the wallets that announce themselves; `window.ethereum` stands in for one that does not. */
export async function findWallets() {
  const found = new Map();
  const hear = ({ detail }) => {
    const { info, provider } = detail ?? {};
    if (!info?.uuid || typeof provider?.request !== "function") return;
    // Anything but a data: image would be a request to somebody else.
    const icon = typeof info.icon === "string" && ICON.test(info.icon) ? info.icon : null;
    found.set(info.uuid, { name: String(info.name ?? "").slice(0, 40) || "Wallet", icon, provider });
  };
  window.addEventListener("eip6963:announceProvider", hear);
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  window.removeEventListener("eip6963:announceProvider", hear);
  const wallets = [...found.values()];
  const injected = window.ethereum;
  if (wallets.length === 0 && typeof injected?.request === "function") {
    wallets.push({ name: "Browser wallet", icon: null, provider: injected });
  }
  return wallets;
}

/** Ask for the account; addresses may come in lower case, which the server takes. */
export async function account(provider) {
  const [address] = (await ask(provider, "eth_requestAccounts")) ?? [];
  if (!/^0x[0-9a-fA-F]{40}$/.test(address ?? "")) throw new WalletError("failed", "no account");
  return address;
}

/** Come to an accepted chain: the wallet's own if it is one, else ask it to switch. */
export async function chain(provider, acceptedIds) {
  const current = Number(await ask(provider, "eth_chainId"));
  if (acceptedIds.includes(current)) return current;
  try {
    const chainId = `0x${acceptedIds[0].toString(16)}`;
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    throw new WalletError(error?.code === UNKNOWN_CHAIN ? "chain" : error?.code === REJECTED ? "chain" : "failed",
      error?.message);
  }
  const switched = Number(await ask(provider, "eth_chainId"));
  if (!acceptedIds.includes(switched)) throw new WalletError("chain");
  return switched;
}

/** Have a text signed by personal_sign. */
export const personalSign = (provider, text, address) =>
  ask(provider, "personal_sign", [hexOfText(text), address]);

/** Tell when the wallet's account is another one, or none; returns what ends that. */
export function watchAccount(provider, address, onChange) {
  const hear = (accounts) => {
    if ((accounts?.[0] ?? "").toLowerCase() !== address.toLowerCase()) onChange();
  };
  provider.on?.("accountsChanged", hear);
  return () => provider.removeListener?.("accountsChanged", hear);
}

async function ask(provider, method, params = []) {
  try {
    return await provider.request({ method, params });
  } catch (error) {
    throw new WalletError(error?.code === REJECTED ? "rejected" : "failed", String(error?.message ?? ""));
  }
}
