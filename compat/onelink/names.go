package onelink

// Names of link parameters that change what a link does, or whose it is ("OneLink
// links and experiences", parameter reference). Every other name is only forwarded.
const (
	paramSource   = "pid"
	paramCampaign = "c"

	paramRedirect   = "af_r"
	paramAndroidURL = "af_android_url"
	paramIOSURL     = "af_ios_url"
	paramWebURL     = "af_web_dp"
	paramDeepLink   = "af_dp"

	paramForceDeepLink = "af_force_deeplink"
	paramForwarding    = "af_param_forwarding"
	paramForwardBase   = "af_base_params_forward"
	paramNoRedirect    = "redirect"
	paramRenewTTL      = "renew_ttl"

	paramIOSStorePage     = "af_ios_store_cpp"
	paramAndroidStorePage = "af_android_store_csl"

	paramTitle       = "af_og_title"
	paramDescription = "af_og_description"
	paramImage       = "af_og_image"

	paramAgency        = "af_prt"
	paramCampaignID    = "af_c_id"
	paramAdSet         = "af_adset"
	paramAdSetID       = "af_adset_id"
	paramAd            = "af_ad"
	paramAdID          = "af_ad_id"
	paramSite          = "af_siteid"
	paramSubSite       = "af_sub_siteid"
	paramChannel       = "af_channel"
	paramAdType        = "af_ad_type"
	paramPartnerClick  = "clickid"
	paramCostModel     = "af_cost_model"
	paramCostValue     = "af_cost_value"
	paramCostCurrency  = "af_cost_currency"
	paramExperience    = "af_xp"
	paramQR            = "af_qr"
	paramIncentivized  = "is_incentivized"
	paramClickLookback = "af_click_lookback"
	paramViewLookback  = "af_viewthrough_lookback"
	paramRetargeting   = "is_retargeting"
	paramEventWindow   = "af_reengagement_window"
	paramInactivity    = "af_inactivity_window"
	paramDeepLinkValue = "deep_link_value"
	paramDeepLinkSub   = "deep_link_sub" // 1 to 10
	paramSub           = "af_sub"        // 1 to 5
	paramHTTPReferrer  = "http_referrer" // the vendor's name for the Referer header of a click

	paramAddress   = "af_ip"
	paramAgent     = "af_ua"
	paramLanguage  = "af_lang"
	paramOSVersion = "af_os_version"
	paramModel     = "af_model"

	paramTransaction  = "af_tranid"
	paramDeepLinked   = "af_deeplink"
	paramShortLink    = "shortlink"
	paramSourceCaller = "source_caller"
	paramTemplate     = "onelink_id"
)
