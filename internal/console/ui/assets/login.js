// A link's secret.
const secret = location.hash.slice(1);
if (secret) {
  history.replaceState(0, "", "/login");
  by("#secret").value = secret;
  by("#login").submit();
}
